// Both services as the subgraphs of one graph.
import { readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { assertCompositionSuccess, composeServices as composeFree } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { ask, consultation, finance } from './services.js';

/** The subgraphs of the running services. */
export async function subgraphs() {
  const services = Object.entries({ consultation, finance });
  return Promise.all(services.map(async ([name, service]) => {
    const { _service: { sdl } } = await ask(service, '{ _service { sdl } }');
    return { name, url: `${service}/graphql`, typeDefs: parse(sdl) };
  }));
}

/** Apollo's composition: `supergraphSdl` and `hints`, or `errors`. */
export const compose = async () => composeServices(await subgraphs());

// The services' addresses for the router of docker/compose.yaml: HAProxy, in front of the replicas.
const ROUTED = { consultation: 'http://gateway:8010/graphql', finance: 'http://gateway:8020/graphql' };
const COMMAND = 'checks/clients/supergraph > docker/router/supergraph.graphql';

/** The supergraph of the router in docker/, from the committed schemas. */
export function routedSupergraph() {
  const result = composeFree(Object.entries(ROUTED).map(([name, url]) => {
    const sdl = readFileSync(new URL(`../../${name}/schema.graphql`, import.meta.url), 'utf8');
    return { name, url, typeDefs: parse(sdl) };
  }));
  assertCompositionSuccess(result);
  return `# Made by \`${COMMAND}\`.\n${result.supergraphSdl.trim()}\n`;
}
