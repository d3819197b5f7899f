// Given to node with --import: lets a program that names `globSync` of node:fs, which came with
// Node.js 22, start on an older one. The conformance suite names it for one of its commands only,
// which we do not use.
import { register } from 'node:module';

const dataUrl = (source) => `data:text/javascript,${encodeURIComponent(source)}`;
const fs = dataUrl('export * from "node:fs"; export const globSync = () => { throw new Error("this Node.js has no globSync"); };');
if (Number(process.versions.node.split('.')[0]) < 22) {
  register(dataUrl(`export const resolve = (specifier, context, next) => specifier === 'fs' && context.parentURL?.includes('/@modelcontextprotocol/conformance')
    ? { url: ${JSON.stringify(fs)}, shortCircuit: true } : next(specifier, context);`));
}
