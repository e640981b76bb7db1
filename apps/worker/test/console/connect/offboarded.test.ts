import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { adminToken } from '../../start-world.ts';
import { consent, consoleUrl, startConnect, type Connect } from './start-connect.ts';

let connect: Connect;

beforeAll(async () => {
  connect = await startConnect();
});

afterAll(() => connect.close());

beforeEach(() => {
  connect.world.provider.tokenRequests.length = 0;
});

const linkTo = (tenantId: string) => connect.link(tenantId, { integration: 'demo' });

async function offboard(tenantId: string): Promise<number> {
  const headers = { authorization: `Bearer ${adminToken}` };
  return (await fetch(`${connect.url}/admin/tenants/${tenantId}`, { method: 'DELETE', headers })).status;
}

describe('a user of a tenant that was offboarded meanwhile', () => {
  it('opens no link from before', async () => {
    const link = await linkTo('link');
    expect(await offboard('link')).toBe(200);
    const browser = connect.browser();
    expect((await browser.open(link)).status).toBe(410);
    const used = await browser.open(link, { method: 'POST', headers: { origin: consoleUrl } });
    expect([used.status, used.headers.getSetCookie()]).toEqual([410, []]);
  });

  it('begins no connect in a session from before', async () => {
    const browser = connect.browser();
    const page = await browser.enter(await linkTo('session-of'));
    await offboard('session-of');
    const sent = await browser.submit(page);
    expect([sent.status, sent.location]).toEqual([403, undefined]);
    expect(await connect.world.leftOf('session-of')).toEqual([]);
  });

  it('does not come back from the provider: the code is not redeemed', async () => {
    const browser = connect.browser();
    const back = await consent(await browser.depart(await linkTo('away')), 'ada');
    await offboard('away');
    const page = await browser.land(back);
    expect([page.status, connect.world.provider.tokenRequests.length]).toEqual([410, 0]);
    expect(page.text).not.toContain('Start again');
    expect(await connect.world.leftOf('away')).toEqual([]);
  });

  it('leaves nothing behind, though their tokens were on the way: these are ended', async () => {
    const browser = connect.browser();
    const back = await consent(await browser.depart(await linkTo('late')), 'ada');
    connect.world.provider.faults.next({ kind: 'hangAfterRotation' });
    const landing = browser.land(back);
    await vi.waitUntil(() => connect.world.provider.tokenRequests[0]?.status !== undefined, 5_000);
    await offboard('late');
    connect.world.provider.faults.release();
    expect((await landing).text).not.toContain('is connected');
    expect(await connect.world.leftOf('late')).toEqual([]);
    expect(connect.lines.join('')).toContain('"reason":"tenant_offboarded"');
  });

  it('connects again with a new link', async () => {
    await connect.browser().connect(await linkTo('returns'), 'ada');
    await offboard('returns');
    expect((await connect.browser().connect(await linkTo('returns'), 'ada')).text).toContain('is connected');
  });
});
