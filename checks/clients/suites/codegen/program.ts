// A typed program on generated documents. The compiler must accept it, and refuse the marked lines; then it runs.
import assert from 'node:assert/strict';
import { Client, fetchExchange } from '@urql/core';
import { eventually } from '../../eventually.js';
import { consultation, finance, headers } from '../../services.js';
import * as clinic from './generated/consultation/graphql.js';
import * as money from './generated/finance/graphql.js';

const at = (service: string) => new Client({
  url: `${service}/graphql`,
  exchanges: [fetchExchange],
  fetchOptions: { headers },
  preferGetMethod: false,
});
const [consultations, payments] = [at(consultation), at(finance)];

const patientId: string = crypto.randomUUID();
const input: clinic.StartConsultationInput = { physicianId: crypto.randomUUID(), patientId };
const { data: started } = await consultations.mutation(clinic.StartDocument, { input });
const first = started?.startConsultation?.consultation;
assert(first);
const startDate: string = first.startDate;
assert.match(startDate, /Z$/);

const { data: again } = await consultations.mutation(clinic.StartDocument, { input });
const refusal = again?.startConsultation?.userErrors[0];
assert(refusal?.__typename === 'PatientInConsultation');
const code: clinic.UserErrorCode = refusal.errorCode;
assert.equal(code, refusal.code);
assert.equal(refusal.consultation.id, first.id); // after the assertion above, the compiler knows the field

const finish = { input: { consultationId: first.id } };
const { data: finished } = await consultations.mutation(clinic.FinishDocument, finish);
const price: string | null | undefined = finished?.finishConsultation?.consultation?.price;
assert.equal(price, '200.00');

const { data: all } = await consultations.query(clinic.OfPatientDocument, { patientId });
assert.deepEqual(all?.consultations.edges.map(({ node }) => node.status), ['FINISHED']);

const payment = await eventually('the payment', async () => {
  const { data } = await payments.query(money.PaymentOfDocument, { appointmentId: first.id });
  return data?.payments.edges[0]?.node;
});
assert.equal(payment.totalPrice, '200.00');

export function refusedByTheCompiler() {
  // @ts-expect-error a decimal is a string, never a binary float
  const amount: number = payment.totalPrice;
  // @ts-expect-error the input needs a patient
  const nobody: clinic.StartConsultationInput = { physicianId: 'x' };
  // @ts-expect-error there is no such status
  const postponed: clinic.ConsultationStatus = 'POSTPONED';
  // @ts-expect-error a typing error: there is no such code
  const isRefused = code === 'PATIENT_IN_CONSULTAION';
  return [amount, nobody, postponed, isRefused];
}
