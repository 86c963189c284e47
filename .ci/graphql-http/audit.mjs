// The audits of the GraphQL-over-HTTP specification, against a running service:
//
//   node .ci/graphql-http/audit.mjs http://127.0.0.1:8010 USER PASSWORD
import { serverAudits } from 'graphql-http';

const [base, user, password] = process.argv.slice(2);
const authorization = `Basic ${btoa(`${user}:${password}`)}`;
const fetchFn = (url, options = {}) => fetch(url, { ...options, headers: { ...options.headers, authorization } });

const audits = serverAudits({ url: `${base}/graphql`, fetchFn });
let passed = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') passed += 1;
  else console.error(`${result.status}: ${audit.name} (${audit.id}): ${result.reason}`);
}
console.log(`${base}: ${passed} of ${audits.length} audits passed`);
process.exitCode = passed === audits.length ? 0 : 1;
