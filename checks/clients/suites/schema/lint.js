// graphql-eslint's recommended and Relay rules over the committed schemas.
import { join } from 'node:path';
import graphql from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';
import { parse } from 'graphql';
import { repository, committed, services } from './committed.js';

const implementing = (name) => new Set(services.flatMap((service) => parse(committed(service)).definitions)
  .filter((type) => type.interfaces?.some((implemented) => implemented.name.value === name))
  .map((type) => type.name.value));

const RULES = {
  ...graphql.configs['flat/schema-recommended'].rules,
  ...graphql.configs['flat/schema-relay'].rules,
  // Payloads, pages, refusals and the settlement of a payment have no id.
  '@graphql-eslint/strict-id-in-types': ['error', { exceptions: {
    types: ['PageInfo', 'Settlement', ...implementing('UserError')],
    suffixes: ['Payload', 'Connection', 'Edge'],
  } }],
  // Short complete lists are no connections: the refusals of a mutation, the path of an argument.
  '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
};

/** The rules' complaints about the schema of a service. One service in a process: the rules cache its types. */
export async function complaints(service) {
  const file = `${service}/schema.graphql`;
  const eslint = new ESLint({ cwd: repository, overrideConfigFile: true, overrideConfig: [{
    files: [file],
    plugins: { '@graphql-eslint': { rules: graphql.rules } },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: join(repository, file) } },
    },
    rules: RULES,
  }] });
  const [{ messages, source }] = await eslint.lintFiles(file);
  return messages.map(({ line, message }) => `${source.split('\n')[line - 1]?.trim()} ${message}`);
}
