// Answers held against the contract, src/api/openapi.json: a status, a header, a media type or a body that is not described
// there is an error.
//
//   check('GET', '/v1/docs?x=1', { status, headers, text });      headers: an object, in lower case; throws an AssertionError
//   seen                                                            "putDocument 201" and so on: what has been checked here
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { root } from '../lib/server.mjs';

export const contract = JSON.parse(readFileSync(join(root, 'src/api/openapi.json'), 'utf8'));
export const seen = new Set();

export const METHODS = ['get', 'head', 'put', 'patch', 'post', 'delete', 'options'];
const EVERYWHERE = new Set(contract['x-headers-of-every-answer'].map(name => name.toLowerCase()));
const PROBLEM = 'application/problem+json';

const ajv = formats.default(new Ajv({ strict: false, allErrors: true }));
ajv.addSchema({ $id: 'contract', ...contract }, 'contract');

export function resolve(node) {
  while (node?.$ref)
    node = decodeURIComponent(node.$ref.slice(2)).split('/').reduce((at, key) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], contract);
  return node;
}

// References within the contract mean what they mean there.
const absolute = schema => JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#', '"$ref":"contract#'));
const compiled = new Map();

function assertFits(schema, value, what) {
  if (!compiled.has(schema)) compiled.set(schema, ajv.compile(absolute(schema)));
  const fits = compiled.get(schema);

  assert(fits(value), `${what}: ${ajv.errorsText(fits.errors)}: ${JSON.stringify(value)?.slice(0, 500)}`);
}

const templates = Object.keys(contract.paths).map(path => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}/?$`) }));

// An id may stand in the query; here it is put where it belongs.
function pathOf(address) {
  const [path, query = ''] = address.replace(/^https?:\/\/[^/]*/, '').split(/\?(.*)/s);
  const segments = path.split('/');
  const parameter = name => query.split('&').find(part => part.startsWith(`${name}=`))?.slice(name.length + 1);

  for (const [i, name] of [[3, 'collection'], [4, 'id']])
    if (path.startsWith('/v1/docs/') && !segments[i] && segments.length >= i && parameter(name)) segments[i] = parameter(name).replaceAll('/', '%2F');
  return segments.join('/');
}

// undefined: the contract does not have it.
export function operationOf(method, address) {
  const path = pathOf(address);
  const template = templates.find(({ pattern }) => pattern.test(path));

  return template && contract.paths[template.path][method.toLowerCase()];
}

function checkHeaders(described, headers, what) {
  const known = new Map(Object.entries(described).map(([name, header]) => [name.toLowerCase(), resolve(header)]));

  for (const [name, value] of Object.entries(headers)) {
    assert(known.has(name) || EVERYWHERE.has(name), `${what}: the header ${name} is not described`);
    if (known.has(name)) assertFits(known.get(name).schema, value, `${what}, ${name}`);
  }
  for (const [name, header] of known) assert(!header.required || name in headers, `${what}: the header ${name} is missing`);
}

function checkBody(content, { status, headers, text }, what) {
  const media = headers['content-type']?.split(';')[0].trim();

  assert(content?.[media], `${what}: a body of type ${media} is not described`);
  const isJson = /[/+]json$/.test(media) && status !== 206; // a part of it is none

  assertFits(content[media].schema, isJson ? JSON.parse(text) : text, what);
}

// What is not described may be refused, and only that.
function checkUndescribed(answer, isHead, what) {
  if (answer.status < 400) return;
  assert(resolve(contract.components.responses.Refused) && [400, 401, 403, 404, 405, 411, 413, 414, 417, 426, 431, 503].includes(answer.status), what);
  if (!isHead && answer.text) checkBody({ [PROBLEM]: { schema: { $ref: '#/components/schemas/Problem' } } }, answer, what);
}

export function check(method, address, answer) {
  const what = `${method} ${address.slice(0, 100)}: ${answer.status}`;
  const operation = operationOf(method, address);
  const isHead = method === 'HEAD';

  if (!operation) return checkUndescribed(answer, isHead, what);
  const described = resolve(operation.responses[answer.status] ?? operation.responses.default);

  checkHeaders(described.headers ?? {}, answer.headers, what);
  if (!isHead && described.content) checkBody(described.content, answer, what);
  else assert.equal(answer.text, '', `${what}: a body is not described`);
  seen.add(`${operation.operationId} ${answer.status}`);
}
