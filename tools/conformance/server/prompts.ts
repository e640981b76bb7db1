import {
  acceptedContent,
  inputRequired,
  type GetPromptResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { pixel } from './answers.ts';

type Content = GetPromptResult['messages'][number]['content'];

const said = (...contents: Content[]): GetPromptResult => ({
  messages: contents.map((content) => ({ role: 'user', content })),
});
const words = (text: string): Content => ({ type: 'text', text });

/** Prompts of each kind. */
export function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Has no arguments' }, () =>
    said(words('This is a simple prompt for testing.')),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Has two', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => said(words(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Holds a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) =>
      said(
        { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content.' } },
        words('Please process the embedded resource above.'),
      ),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'Holds a picture' }, () =>
    said({ type: 'image', data: pixel, mimeType: 'image/png' }, words('Please analyze the image above.')),
  );
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Needs input' },
    // Without arguments the context comes first, though the types do not say so.
    (context: unknown) => {
      const { inputResponses } = (context as ServerContext).mcpReq;
      const given = acceptedContent<{ context: string }>(inputResponses, 'user_context')?.context;
      if (given !== undefined) return said(words(`Use the following context: ${given}`));
      const properties = { context: { type: 'string' as const } };
      const requestedSchema = { type: 'object' as const, properties, required: ['context'] };
      const user_context = inputRequired.elicit({ message: 'Which context?', requestedSchema });
      return inputRequired({ inputRequests: { user_context } });
    },
  );
}
