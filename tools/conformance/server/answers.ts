import { fromJsonSchema, type CallToolResult, type McpServer } from '@modelcontextprotocol/server';

/** A picture of one pixel. */
export const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
/** A sound of no length. */
const silence = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}

const image = { type: 'image', data: pixel, mimeType: 'image/png' } as const;
const resource = (uri: string, mimeType: string, content: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text: content } }) as const;

/** Tools that answer at once, with each kind of content. */
export function addAnswers(server: McpServer): void {
  const answers: Record<string, CallToolResult> = {
    test_simple_text: text('This is a simple text response for testing.'),
    test_image_content: { content: [image] },
    test_audio_content: { content: [{ type: 'audio', data: silence, mimeType: 'audio/wav' }] },
    test_embedded_resource: {
      content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
    },
    test_multiple_content_types: {
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        image,
        resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
      ],
    },
    test_streaming_elicitation: text('Nothing is asked for.'),
  };
  for (const [name, answer] of Object.entries(answers)) {
    server.registerTool(name, { description: 'Answers at once' }, () => answer);
  }
  server.registerTool('test_error_handling', { description: 'Fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  addSchemas(server);
}

function addSchemas(server: McpServer): void {
  const region = { type: 'string', 'x-mcp-header': 'Region' };
  const mirrored = { type: 'object', properties: { region, level: { type: 'integer' } } };
  server.registerTool(
    'test_x_mcp_header',
    { description: 'Has an argument that travels in a header too', inputSchema: fromJsonSchema(mirrored) },
    () => text('The header was right.'),
  );
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has a schema with much in it', inputSchema: fromJsonSchema(richSchema) },
    () => text('The arguments were right.'),
  );
}

const richSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
