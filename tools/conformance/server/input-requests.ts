import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type CallToolResult,
  type ClientCapabilities,
  type InputRequests,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './answers.ts';
import { stateCodec } from './request-state.ts';

type Answer = CallToolResult | InputRequiredResult;
type Round = ServerContext['mcpReq'];

const ask = (field: string, property: { type: 'string' } | { type: 'boolean' } = { type: 'string' }) =>
  inputRequired.elicit({
    message: `Please give: ${field}`,
    requestedSchema: { type: 'object', properties: { [field]: property }, required: [field] },
  });
const sample = (prompt: string) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens: 50,
  });

/** Tools that need something of the client first, as it is done from 2026-07-28 on. */
export function addInputRequests(server: McpServer): void {
  const add = (name: string, answer: (round: Round) => Answer | Promise<Answer>) =>
    server.registerTool(name, { description: 'Needs input', inputSchema: z.object({}) }, (_, { mcpReq }) =>
      answer(mcpReq),
    );
  add('test_missing_capability', needs({ llm_answer: sample('Say pong') }));
  add('test_input_required_result_elicitation', (round) => {
    const content = acceptedContent<{ name: string }>(round.inputResponses, 'user_name');
    if (typeof content?.name === 'string') return text(`Hello, ${content.name}!`);
    return inputRequired({ inputRequests: { user_name: ask('name') } });
  });
  add('test_input_required_result_sampling', needs({ capital_question: sample('The capital of France?') }));
  add('test_input_required_result_list_roots', needs({ client_roots: inputRequired.listRoots() }));
  add('test_input_required_result_multiple_inputs', needs(everyKind(), true));
  add('test_input_required_result_request_state', needs({ confirm: ask('ok', { type: 'boolean' }) }, true));
  add('test_input_required_result_tampered_state', needs({ confirm: ask('ok', { type: 'boolean' }) }, true));
  add('test_input_required_result_multi_round', multiRound);
  add('test_input_required_result_capabilities', onlyDeclared);
}

/** Answers once the client has answered all of them, and has brought back the state if there is one. */
function needs(inputRequests: InputRequests, hasState = false) {
  return async (round: Round): Promise<Answer> => {
    const isAnswered = Object.keys(inputRequests).every((key) => round.inputResponses?.[key] !== undefined);
    const isKnown = !hasState || round.requestState() !== undefined;
    if (isAnswered && isKnown) return text(`state-ok: ${JSON.stringify(round.inputResponses)}`);
    if (!hasState) return inputRequired({ inputRequests });
    return inputRequired({ inputRequests, requestState: await stateCodec.mint({ round: 0 }) });
  };
}

async function multiRound(round: Round): Promise<Answer> {
  const done = round.requestState<{ round: number }>()?.round ?? 0;
  if (done === 2) return text('Both rounds are done.');
  const inputRequests = done === 0 ? { step1: ask('name') } : { step2: ask('color') };
  return inputRequired({ inputRequests, requestState: await stateCodec.mint({ round: done + 1 }) });
}

function everyKind() {
  return {
    user_name: ask('name'),
    greeting: sample('Say hello'),
    client_roots: inputRequired.listRoots(),
  };
}

function onlyDeclared({ envelope, inputResponses }: Round): Answer {
  const declared = (envelope as Record<string, ClientCapabilities> | undefined)?.[
    CLIENT_CAPABILITIES_META_KEY
  ];
  const { user_name, greeting, client_roots } = everyKind();
  const inputRequests: InputRequests = {
    ...(declared?.elicitation ? { user_name } : {}),
    ...(declared?.sampling ? { greeting } : {}),
    ...(declared?.roots ? { client_roots } : {}),
  };
  const isDone = inputResponses !== undefined || Object.keys(inputRequests).length === 0;
  return isDone ? text('Only what is declared was asked for.') : inputRequired({ inputRequests });
}
