import type { Agent, AgentPage, Grant } from '@connectors/vault-core';
import { html, type Html } from '../html.ts';
import { operatorPage } from '../layout.ts';
import { time } from '../words.ts';
import { cell, nextPageLink, row, table, title } from './table.ts';

/** Who may call the proxy, and what for. Agents are made and changed over the admin API or the command line. */
export function agentsPage({ agents, unreadable, next }: AgentPage, now: number): string {
  const rows = agents
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map((agent) =>
      row(
        html`${agent.name}<br /><code class="faint">${agent.id}</code>`,
        html`${cell(
          html`<ul class="plain">
            ${agent.grants.map((grant) => html`<li>${grantWords(grant)}</li>`)}
          </ul>`,
        )}
        ${cell(time(agent.createdAt))}${cell(expiry(agent, now))}`,
      ),
    );
  const broken =
    unreadable.length === 0 ? '' : html`<p class="note warning">Cannot be read: ${unreadable.join(', ')}</p>`;
  return operatorPage(
    { title: 'Agents', current: '/agents' },
    html`<div class="title"><h1>Agents</h1></div>
      ${broken}
      <section>
        <h2>Who may call the proxy</h2>
        <p>To create or change them, use <code>connectors keys</code> or the admin API.</p>
        ${rows.length === 0 ? html`<p class="faint">There are none.</p>` : table(['Agent', 'Grants', 'Since', 'Until'].map(title), rows)}
        ${next === undefined ? '' : nextPageLink('/agents', { after: next })}
      </section>`,
  );
}

function expiry({ expiresAt }: Agent, now: number): Html {
  if (expiresAt === undefined) return html`<span class="faint">never expires</span>`;
  return Date.parse(expiresAt) > now ? time(expiresAt) : html`<span class="badge bad">expired</span>`;
}

function grantWords({ tenants, integrations, rest, mcp, expiresAt }: Grant): Html {
  const what = integrations === undefined ? 'all integrations' : some(integrations);
  const limits = [
    ...(rest === undefined
      ? []
      : [`REST ${some(rest.methods ?? ['all methods'])} ${some(rest.paths ?? ['all paths'])}`]),
    ...(mcp === undefined ? [] : [`MCP ${some([...(mcp.methods ?? []), ...(mcp.tools ?? [])])}`]),
  ];
  const until = expiresAt === undefined ? '' : html` until ${time(expiresAt)}`;
  return html`<strong>${some(tenants)}</strong>: ${what}${until}
    ${limits.map((limit) => html`<br /><span class="faint small">${limit}</span>`)}`;
}

function some(texts: readonly string[]): string {
  return texts.length > 3 ? `${texts.slice(0, 3).join(', ')} and ${texts.length - 3} more` : texts.join(', ');
}
