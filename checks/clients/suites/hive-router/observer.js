// Stands in front of a service and remembers its requests.
import { createServer, request as send } from 'node:http';

/** Passes requests on to a service until the test ends. `requests` has the headers and the body of each that is not a login. */
export async function observe(t, service) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method === 'POST') requests.push({ headers: request.headers, ...JSON.parse(body) });
    const forwarded = send(service + request.url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forwarded.end(body);
  });
  return { url: await listen(t, server), requests };
}

/** A service that takes requests and answers none, until the test ends. */
export const silent = (t) => listen(t, createServer(() => {}));

/** A ready service that answers nothing but a status, and hangs up without one, until the test ends. */
export const answering = (t, status) => listen(t, createServer((request, response) => {
  if (request.url === '/readyz') response.end();
  else if (status()) response.writeHead(status()).end();
  else request.socket.destroy();
}));

async function listen(t, server) {
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}
