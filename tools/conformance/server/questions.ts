import type { ElicitRequestFormParams, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './answers.ts';

type Schema = ElicitRequestFormParams['requestedSchema'];

/** Tools that ask the client something while they run, as was done up to 2025-11-25. */
export function addQuestions(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks a model', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const answer = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      });
      return text(`LLM response: ${JSON.stringify(answer.content)}`);
    },
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, { mcpReq }) => {
      const answer = await mcpReq.elicitInput({
        message,
        requestedSchema: object({ response: { type: 'string' } }, ['response']),
      });
      return text(`User response: ${JSON.stringify(answer)}`);
    },
  );
  addForm(server, 'test_elicitation_sep1034_defaults', defaults);
  addForm(server, 'test_elicitation_sep1330_enums', enums);
}

function addForm(server: McpServer, name: string, properties: Schema['properties']): void {
  server.registerTool(
    name,
    { description: 'Shows the user a form', inputSchema: z.object({}) },
    async (_, { mcpReq }) => {
      const answer = await mcpReq.elicitInput({
        message: 'Please fill in',
        requestedSchema: object(properties),
      });
      return text(`Elicitation completed: ${JSON.stringify(answer)}`);
    },
  );
}

function object(properties: Schema['properties'], required: string[] = []): Schema {
  return { type: 'object', properties, required };
}

const defaults: Schema['properties'] = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const options = ['option1', 'option2', 'option3'];
const titled = [
  { const: 'value1', title: 'First' },
  { const: 'value2', title: 'Second' },
];
const enums: Schema['properties'] = {
  untitledSingle: { type: 'string', enum: options },
  titledSingle: { type: 'string', oneOf: titled },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['Option One', 'Option Two'] },
  untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: options } },
  titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled } },
};
