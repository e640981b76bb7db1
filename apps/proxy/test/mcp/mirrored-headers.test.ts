import { expect, test } from 'vitest';
import { findMismatch } from '../../src/mcp/mirrored-headers.ts';
import type { McpMessage } from '../../src/mcp/message.ts';

const call = (name?: string, method = 'tools/call', revision?: string): McpMessage => ({
  kind: 'call',
  method,
  name,
  revision,
});
const mismatch = (headers: Record<string, string[]>, message: McpMessage | undefined) =>
  findMismatch({ headersDistinct: headers }, message);
const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;

test.each([
  ['no headers', {}, call('add')],
  ['the same method and name', { 'mcp-method': ['tools/call'], 'mcp-name': ['add'] }, call('add')],
  ['a name in Base64', { 'mcp-name': [base64('größe')] }, call('größe')],
  ['plain text in Base64', { 'mcp-name': [base64('add')] }, call('add')],
  ['a name that looks like Base64', { 'mcp-name': [base64('=?base64?eA==?=')] }, call('=?base64?eA==?=')],
  ['the same revision', { 'mcp-protocol-version': ['2026-07-28'] }, call('a', 'tools/call', '2026-07-28')],
  ['a revision that only the header tells', { 'mcp-protocol-version': ['2025-11-25'] }, call('add')],
  ['a name of a method of an extension', { 'mcp-name': ['task-1'] }, call(undefined, 'tasks/get')],
])('%s agree with the message', (_, headers, message) => {
  expect(mismatch(headers, message)).toBeUndefined();
});

test.each([
  ['another method', { 'mcp-method': ['tools/list'] }, call('add')],
  ['a method in another case', { 'mcp-method': ['Tools/Call'] }, call('add')],
  ['two methods', { 'mcp-method': ['tools/call', 'tools/call'] }, call('add')],
  ['another name', { 'mcp-name': ['sub'] }, call('add')],
  ['another name in Base64', { 'mcp-name': [base64('sub')] }, call('add')],
  ['Base64 with something in between', { 'mcp-name': ['=?base64?YWR*k?='] }, call('add')],
  ['a name in the bytes of another encoding', { 'mcp-name': ['gr\u00f6\u00dfe '] }, call('größe')],
  ['another revision', { 'mcp-protocol-version': ['2025-11-25'] }, call('a', 'tools/call', '2026-07-28')],
  ['two revisions', { 'mcp-protocol-version': ['2026-07-28', '2025-11-25'] }, call('add')],
  ['a method, but the body is a response', { 'mcp-method': ['tools/call'] }, { kind: 'response' } as const],
  ['a method, but the body is a batch', { 'mcp-method': ['tools/call'] }, undefined],
])('%s does not', (_, headers, message) => {
  expect(mismatch(headers, message)).toMatch(/differ$/);
});
