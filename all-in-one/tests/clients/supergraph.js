// Both services as the subgraphs of one graph.
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { ask, consultation, finance } from './services.js';

/** The subgraphs as the running services tell them. */
export async function subgraphs() {
  const services = Object.entries({ consultation, finance });
  return Promise.all(services.map(async ([name, service]) => {
    const { _service: { sdl } } = await ask(service, '{ _service { sdl } }');
    return { name, url: `${service}/graphql`, typeDefs: parse(sdl) };
  }));
}

/** Apollo's composition: `supergraphSdl` and `hints`, or `errors`. */
export const compose = async () => composeServices(await subgraphs());
