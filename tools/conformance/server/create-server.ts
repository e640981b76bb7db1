import type { CreateMcpServer } from '@connectors/dev-servers';
import { McpServer } from '@modelcontextprotocol/server';
import { addAnswers } from './answers.ts';
import { addInputRequests } from './input-requests.ts';
import { addPrompts } from './prompts.ts';
import { addQuestions } from './questions.ts';
import { stateCodec } from './request-state.ts';
import { addResources } from './resources.ts';
import { addStreams } from './streams.ts';

/** The server that the conformance suite wants to meet: every name, text and schema in it is the suite's. */
export const createConformanceServer: CreateMcpServer = (announcements) => {
  const changes = { listChanged: true };
  const server = new McpServer(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: changes,
        prompts: changes,
        resources: { ...changes, subscribe: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: (state, context) => stateCodec.verify(state, context) },
    },
  );
  addAnswers(server);
  addStreams(server, announcements);
  addQuestions(server);
  addInputRequests(server);
  addResources(server);
  addPrompts(server);
  return server;
};
