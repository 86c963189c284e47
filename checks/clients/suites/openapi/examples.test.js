// The examples of the OpenAPI documents, sent as they stand. Their summaries say what becomes of them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { consultation, finance, headers } from '../../services.js';

/** Each example of a request of a service: its operation, name, summary and body. */
async function examples(service) {
  const { paths } = await (await fetch(`${service}/openapi.json`, { headers })).json();
  return Object.entries(paths).flatMap(([path, item]) => Object.entries(item).flatMap(([method, { responses, requestBody }]) =>
    Object.entries(requestBody.content['application/json'].examples).map(([name, { summary, value }]) => (
      { method: method.toUpperCase(), path, name, summary, value, responses }
    ))));
}

const send = (service, { method, path, value }) => fetch(service + path, {
  method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(value),
});

for (const [name, service] of Object.entries({ consultation, finance })) {
  test(`each example of ${name} is answered as its summary says`, async () => {
    const found = await examples(service);
    assert(found.length > 0);
    for (const example of found) {
      const { status } = await send(service, example);
      assert(example.responses[status], `${example.path} ${example.name}: ${status} is not documented`);
      const [, refusal] = /^Refused with (\d+)/.exec(example.summary) ?? [];
      assert(refusal ? status === Number(refusal) : status < 300, `${example.path} ${example.name}: ${status}, ${example.summary}`);
    }
  });
}

test('the link of a start leads to its finish', async () => {
  const [start, finish] = await examples(consultation);
  const patient_id = crypto.randomUUID();
  const started = await send(consultation, { ...start, value: { ...start.value, patient_id } });
  const { links } = start.responses[started.status];
  assert.deepEqual(links.finish.requestBody, { consultation_id: '$response.body#/id' });
  const { id } = await started.json();
  const finished = await send(consultation, { ...finish, value: { ...finish.value, consultation_id: id } });
  assert.equal(finished.status, 202, await finished.text());
});
