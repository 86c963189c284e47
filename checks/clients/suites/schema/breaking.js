// Breaking changes of a schema, and whether the CHANGELOG and deprecations announced them.
import { diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

/** The breaking changes from one schema to another that break the policy, and how each does. */
export async function breaches(before, after, changelog) {
  const changes = await diff(schema(before), schema(after));
  return changes.filter(({ criticality }) => criticality.level === 'BREAKING').flatMap(({ path, message, meta }) => {
    const faults = [];
    if (!changelog.includes(`\`${path}\``)) faults.push(`\`${path}\` is not in the CHANGELOG`);
    const wasDeprecated = meta.isRemovedFieldDeprecated ?? meta.isEnumValueDeprecated ?? meta.isInputFieldDeprecated;
    if (wasDeprecated === false) faults.push('it was not deprecated');
    return faults.length ? [`${message}: ${faults.join(', ')}`] : [];
  });
}

// The clients' view: federation's directives have no definitions here, and are for gateways.
const schema = (sdl) => buildSchema(sdl, { assumeValidSDL: true });
