// The audits of the GraphQL-over-HTTP specification.
import { serverAudits } from 'graphql-http';

/** Runs all audits on the endpoint `url`. Returns their number and a line for each that failed. */
export async function audit(url, fetchFn = fetch) {
  const audits = serverAudits({ url, fetchFn });
  const failed = [];
  for (const audit of audits) {
    const result = await audit.fn();
    if (result.status !== 'ok') failed.push(`${result.status}: ${audit.name} (${audit.id}): ${result.reason}`);
  }
  return { count: audits.length, failed };
}

// As a program: node audit.js URL
if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { count, failed } = await audit(process.argv[2]);
  console.log(`${count - failed.length} of ${count} audits passed`);
  for (const line of failed) console.log(line);
  process.exit(failed.length || count !== 61 ? 1 : 0);
}
