import { html, type Html } from '../html.ts';

export function table(titles: Html[], rows: Html[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${titles}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

export const title = (text: string): Html => html`<th scope="col">${text}</th>`;

/** Over a column of figures. */
export const count = (text: string): Html => html`<th scope="col" class="number">${text}</th>`;

export const cell = (content: Html | string): Html => html`<td>${content}</td>`;

export function row(name: Html | string, cells: Html): Html {
  return html`<tr>
    <th scope="row">${name}</th>
    ${cells}
  </tr>`;
}

export function nextPageLink(path: string, query: Record<string, string>): Html {
  return html`<p class="more">
    <a class="button" href="${path}?${new URLSearchParams(query).toString()}">Next page</a>
  </p>`;
}
