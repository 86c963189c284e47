// Stands in front of a service and remembers its requests.
import { createServer, request as send } from 'node:http';

/** Passes requests on to a service until the test ends. `requests` has the headers and the body of each. */
export async function observe(t, service) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ headers: request.headers, ...JSON.parse(body) });
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

async function listen(t, server) {
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}
