# Images of the proxy and the worker: `docker build --target proxy .`, `docker build --target worker .`

FROM node:24.21.0-bookworm-slim AS workspace
WORKDIR /app
RUN npm install --global pnpm@12.21.0
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages packages

FROM workspace AS proxy-files
COPY apps/proxy apps/proxy
RUN --mount=type=cache,id=pnpm,target=/store \
  pnpm install --prod --frozen-lockfile --store-dir /store --filter @connectors/proxy...

FROM workspace AS worker-files
COPY apps/worker apps/worker
RUN --mount=type=cache,id=pnpm,target=/store \
  pnpm install --prod --frozen-lockfile --store-dir /store --filter @connectors/worker...

FROM node:24.21.0-bookworm-slim AS runtime
WORKDIR /app
# Compiled TypeScript: filled below by loading each app once, as the user that will read it. Read only from then on.
ENV NODE_ENV=production HOST=0.0.0.0 NODE_COMPILE_CACHE=/app/.compile-cache
RUN install --directory --owner=node .compile-cache
USER node
STOPSIGNAL SIGTERM

FROM runtime AS proxy
COPY --from=proxy-files /app /app
RUN node --input-type=module --eval "await import('/app/apps/proxy/src/app.ts')"
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8080/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/proxy/src/main.ts"]

FROM runtime AS worker
COPY --from=worker-files /app /app
RUN node --input-type=module --eval "await import('/app/apps/worker/src/app.ts')"
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8090/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/worker/src/main.ts"]
