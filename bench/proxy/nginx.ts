import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from '@connectors/dev-servers';

/** Writes a configuration of one worker process in the foreground, and returns how to start it. */
function configure(launch: Launch, dir: string, server: string): Launch {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 1024; }
http {
  access_log off; default_type application/json; keepalive_requests 1000000000;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
  ${server}
}
`,
  );
  return { command: launch.command, args: [...launch.args, '-p', dir, '-c', file, '-e', `${dir}/error.log`] };
}

/** An upstream that answers with 1 KiB, and costs next to nothing. */
export function nginxUpstream(launch: Launch, dir: string, port: number): Launch {
  const answer = JSON.stringify({ text: 'x'.repeat(1024 - '{"text":""}'.length) });
  return configure(
    launch,
    dir,
    `server { listen 127.0.0.1:${port}; location / { return 200 '${answer}'; } }`,
  );
}

/** nginx as a proxy that puts a header into every request. */
export function nginxProxy(
  launch: Launch,
  dir: string,
  ports: { own: number; upstream: number },
  token: string,
): Launch {
  return configure(
    launch,
    dir,
    `upstream api { server 127.0.0.1:${ports.upstream}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${ports.own};
    location / {
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${token}";
    }
  }`,
  );
}
