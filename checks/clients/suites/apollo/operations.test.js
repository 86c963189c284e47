// Apollo Client: mutations, refusals, errors, polling, pages in both directions.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { CombinedGraphQLErrors, ServerError } from '@apollo/client';
import { filter, firstValueFrom } from 'rxjs';
import { basic, started, username } from '../../services.js';
import { apollo } from './client.js';
import { FINISH, ONE, PAGE, START } from './operations.js';

const somebody = () => ({ physicianId: randomUUID(), patientId: randomUUID() });
const timeout = 20_000;

test('a consultation is started and finished, and its payment arrives', { timeout }, async () => {
  const client = await apollo();
  const { data: { startConsultation } } = await client.mutate({ mutation: START, variables: { input: somebody() } });
  assert.deepEqual(startConsultation.userErrors, []);
  const { id } = startConsultation.consultation;
  assert.equal(startConsultation.consultation.status, 'IN_PROGRESS');

  const { data } = await client.mutate({ mutation: FINISH, variables: { input: { consultationId: id } } });
  assert.equal(data.finishConsultation.consultation.price, '200.00');

  const polled = client.watchQuery({ query: ONE, variables: { id }, pollInterval: 50, fetchPolicy: 'network-only' });
  const delivered = filter(({ data }) => data?.consultation?.pendingPayment?.status === 'FINISHED');
  const { data: { consultation } } = await firstValueFrom(polled.pipe(delivered));
  assert.equal(consultation.status, 'FINISHED');
  assert(consultation.pendingPayment.tries >= 1 && consultation.pendingPayment.finishedAt);
});

test('a finish updates what the cache has of the consultation', { timeout }, async () => {
  const client = await apollo();
  const id = await started();
  await client.query({ query: ONE, variables: { id } });
  await client.mutate({ mutation: FINISH, variables: { input: { consultationId: id } } });
  const { data } = await client.query({ query: ONE, variables: { id }, fetchPolicy: 'cache-only' });
  assert.deepEqual([data.consultation.status, data.consultation.price], ['FINISHED', '200.00']);
});

test('refusals are typed and carry the consultation', { timeout }, async () => {
  const client = await apollo();
  const input = somebody();
  const id = await started(input);
  const { data: { startConsultation } } = await client.mutate({ mutation: START, variables: { input } });
  assert.equal(startConsultation.consultation, null);
  const [{ message, ...refusal }] = startConsultation.userErrors;
  assert(message);
  assert.deepEqual(refusal, {
    __typename: 'PatientInConsultation',
    code: 'PATIENT_IN_CONSULTATION',
    field: ['input', 'patientId'],
    consultation: { __typename: 'Consultation', id },
  });

  const finish = { mutation: FINISH, variables: { input: { consultationId: id } } };
  await client.mutate(finish);
  const { data: { finishConsultation } } = await client.mutate(finish);
  const [finished] = finishConsultation.userErrors;
  assert.equal(finished.code, 'CONSULTATION_ALREADY_FINISHED');
  assert.deepEqual(finished.consultation, { __typename: 'Consultation', id, price: '200.00' });
});

test('pages come forwards into one list', { timeout }, async () => {
  const { ids, list, first } = await listOfFive({ first: 2 });
  let pages = 1;
  for (let { pageInfo } = first; pageInfo.hasNextPage; pages += 1) {
    const { data } = await list.fetchMore({ variables: { after: pageInfo.endCursor } });
    ({ pageInfo } = data.consultations);
  }
  assert.equal(pages, 3);
  assert.deepEqual(idsOf(list.getCurrentResult().data.consultations), ids);
});

test('pages come backwards into one list', { timeout }, async () => {
  const { ids, list, first } = await listOfFive({ last: 2 });
  let pages = 1;
  for (let { pageInfo } = first; pageInfo.hasPreviousPage; pages += 1) {
    const { data } = await list.fetchMore({ variables: { before: pageInfo.startCursor } });
    ({ pageInfo } = data.consultations);
  }
  assert.equal(pages, 3);
  assert.deepEqual(idsOf(list.getCurrentResult().data.consultations), ids);
});

test('a bad id is BAD_USER_INPUT', { timeout }, async () => {
  const client = await apollo();
  await assert.rejects(client.query({ query: ONE, variables: { id: 'nonsense' } }), (error) => {
    assert(CombinedGraphQLErrors.is(error), error);
    assert.equal(error.errors[0].extensions.code, 'BAD_USER_INPUT');
    assert.deepEqual(error.errors[0].path, ['consultation']);
    return true;
  });
});

test('a wrong password is 401 and UNAUTHENTICATED', { timeout }, async () => {
  const client = await apollo({ headers: { authorization: basic(username, 'wrong') } });
  await assert.rejects(client.query({ query: ONE, variables: { id: randomUUID() } }), (error) => {
    assert(ServerError.is(error), error);
    assert.equal(error.statusCode, 401);
    assert.equal(JSON.parse(error.bodyText).errors[0].extensions.code, 'UNAUTHENTICATED');
    return true;
  });
});

const idsOf = ({ edges }) => edges.map(({ node }) => node.id);

/** Five consultations of one physician, and the first page of a list of them. */
async function listOfFive(page) {
  const client = await apollo();
  const physicianId = randomUUID();
  const ids = [];
  for (let count = 0; count < 5; count += 1) ids.push(await started({ physicianId }));
  const list = client.watchQuery({ query: PAGE, variables: { filter: { physicianId }, ...page } });
  const { data } = await firstValueFrom(list.pipe(filter(({ dataState }) => dataState === 'complete')));
  return { ids, list, first: data.consultations };
}
