import type { Provider } from './provider.ts';
import { airtable } from './providers/airtable.ts';
import { asana } from './providers/asana.ts';
import { atlassian } from './providers/atlassian.ts';
import { auth0 } from './providers/auth0.ts';
import { bitbucket } from './providers/bitbucket.ts';
import { box } from './providers/box.ts';
import { calendly } from './providers/calendly.ts';
import { canva } from './providers/canva.ts';
import { clickup } from './providers/clickup.ts';
import { cloudflare } from './providers/cloudflare.ts';
import { databricks } from './providers/databricks.ts';
import { digitalocean } from './providers/digitalocean.ts';
import { discord } from './providers/discord.ts';
import { docusign } from './providers/docusign.ts';
import { dropbox } from './providers/dropbox.ts';
import { figma } from './providers/figma.ts';
import { front } from './providers/front.ts';
import { githubAppUser } from './providers/github-app-user.ts';
import { githubApp } from './providers/github-app.ts';
import { githubOauthApp } from './providers/github-oauth-app.ts';
import { github } from './providers/github.ts';
import { gitlab } from './providers/gitlab.ts';
import { gong } from './providers/gong.ts';
import { googleServiceAccount } from './providers/google-service-account.ts';
import { google } from './providers/google.ts';
import { heroku } from './providers/heroku.ts';
import { hubspot } from './providers/hubspot.ts';
import { intercom } from './providers/intercom.ts';
import { keycloak } from './providers/keycloak.ts';
import { linear } from './providers/linear.ts';
import { linkedin } from './providers/linkedin.ts';
import { mailchimp } from './providers/mailchimp.ts';
import { microsoftEntra } from './providers/microsoft-entra.ts';
import { miro } from './providers/miro.ts';
import { monday } from './providers/monday.ts';
import { netlify } from './providers/netlify.ts';
import { notion } from './providers/notion.ts';
import { oidc } from './providers/oidc.ts';
import { okta } from './providers/okta.ts';
import { pagerduty } from './providers/pagerduty.ts';
import { paypal } from './providers/paypal.ts';
import { pipedrive } from './providers/pipedrive.ts';
import { quickbooks } from './providers/quickbooks.ts';
import { reddit } from './providers/reddit.ts';
import { salesforce } from './providers/salesforce.ts';
import { sentryIntegration } from './providers/sentry-integration.ts';
import { sentry } from './providers/sentry.ts';
import { servicenow } from './providers/servicenow.ts';
import { shopify } from './providers/shopify.ts';
import { slackRotating } from './providers/slack-rotating.ts';
import { slack } from './providers/slack.ts';
import { snowflake } from './providers/snowflake.ts';
import { spotify } from './providers/spotify.ts';
import { square } from './providers/square.ts';
import { strava } from './providers/strava.ts';
import { stripeApps } from './providers/stripe-apps.ts';
import { stripeConnect } from './providers/stripe-connect.ts';
import { supabase } from './providers/supabase.ts';
import { twitch } from './providers/twitch.ts';
import { typeform } from './providers/typeform.ts';
import { vercel } from './providers/vercel.ts';
import { webex } from './providers/webex.ts';
import { x } from './providers/x.ts';
import { xero } from './providers/xero.ts';
import { zendesk } from './providers/zendesk.ts';
import { zoho } from './providers/zoho.ts';
import { zoom } from './providers/zoom.ts';

/** The providers that are known by name. */
export const catalog: ReadonlyMap<string, Provider> = new Map(
  [
    airtable,
    asana,
    atlassian,
    auth0,
    bitbucket,
    box,
    calendly,
    canva,
    clickup,
    cloudflare,
    databricks,
    digitalocean,
    discord,
    docusign,
    dropbox,
    figma,
    front,
    githubAppUser,
    githubApp,
    githubOauthApp,
    github,
    gitlab,
    gong,
    googleServiceAccount,
    google,
    heroku,
    hubspot,
    intercom,
    keycloak,
    linear,
    linkedin,
    mailchimp,
    microsoftEntra,
    miro,
    monday,
    netlify,
    notion,
    oidc,
    okta,
    pagerduty,
    paypal,
    pipedrive,
    quickbooks,
    reddit,
    salesforce,
    sentryIntegration,
    sentry,
    servicenow,
    shopify,
    slackRotating,
    slack,
    snowflake,
    spotify,
    square,
    strava,
    stripeApps,
    stripeConnect,
    supabase,
    twitch,
    typeform,
    vercel,
    webex,
    x,
    xero,
    zendesk,
    zoho,
    zoom,
  ].map((provider) => [provider.id, provider]),
);
