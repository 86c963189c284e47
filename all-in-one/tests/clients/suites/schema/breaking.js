// What a schema takes away from its clients, and whether they were told in time.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { diff } from '@graphql-inspector/core';
import { parse } from 'graphql';

/** The breaking changes from one schema to another that break the policy, and how each does. */
export async function breaches(before, after, changelog) {
  const changes = await diff(schema(before), schema(after));
  return changes.filter(({ criticality }) => criticality.level === 'BREAKING').flatMap(({ path, message, meta }) => {
    const was = [];
    if (!changelog.includes(`\`${path}\``)) was.push(`\`${path}\` is not in the CHANGELOG`);
    if (meta.isRemovedFieldDeprecated === false || meta.isEnumValueDeprecated === false) was.push('it was not deprecated');
    return was.length ? [`${message}: ${was.join(', ')}`] : [];
  });
}

const schema = (sdl) => buildSubgraphSchema(parse(sdl));
