import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Interaction, Provider } from 'oidc-provider';

/** Serves the two pages a person sees: log in (any name will do) and consent. */
export async function serveInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const interaction = await provider.interactionDetails(request, response);
    if (request.method === 'POST') {
      const form = new URLSearchParams(await text(request));
      await provider.interactionFinished(request, response, await decide(provider, interaction, form));
    } else {
      sendPage(response, 200, interaction.prompt.name === 'login' ? loginPage() : consentPage(interaction));
    }
  } catch {
    // The interaction has ended, or belongs to another browser.
    sendPage(response, 400, '<h1>This page has expired</h1><p>Please start again where you came from.</p>');
  }
}

async function decide(provider: Provider, interaction: Interaction, form: URLSearchParams) {
  if (form.has('deny')) {
    return { error: 'access_denied', error_description: 'the user said no' };
  }
  if (interaction.prompt.name === 'login') {
    return { login: { accountId: form.get('login')?.trim() || 'somebody' } };
  }
  return { consent: { grantId: await widenGrant(provider, interaction) } };
}

async function widenGrant(provider: Provider, interaction: Interaction): Promise<string> {
  const known = interaction.grantId ? await provider.Grant.find(interaction.grantId) : undefined;
  const grant =
    known ??
    new provider.Grant({
      accountId: interaction.session?.accountId,
      clientId: String(interaction.params['client_id']),
    });
  grant.addOIDCScope(missingScopes(interaction).join(' '));
  return await grant.save();
}

function missingScopes(interaction: Interaction): string[] {
  const missing = interaction.prompt.details['missingOIDCScope'];
  return Array.isArray(missing) ? missing.map(String) : [];
}

function loginPage(): string {
  return `<h1>Log in</h1>
<form method="post">
  <label>Name <input name="login" value="demo" required autofocus></label>
  <button>Log in</button>
</form>`;
}

function consentPage(interaction: Interaction): string {
  const items = missingScopes(interaction).map((scope) => `<li>${escapeHtml(scope)}</li>`);
  return `<h1>Allow ${escapeHtml(String(interaction.params['client_id']))}?</h1>
<p>${escapeHtml(interaction.session?.accountId ?? '')}, it asks for:</p>
<ul>${items.join('')}</ul>
<form method="post"><button name="allow">Allow</button> <button name="deny">Deny</button></form>`;
}

function sendPage(response: ServerResponse, status: number, content: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Authorization server</title>
<style>body { font: 16px/1.5 system-ui; max-width: 30rem; margin: 4rem auto; }</style>
${content}</html>`);
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
