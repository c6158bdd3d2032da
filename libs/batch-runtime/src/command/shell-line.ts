import { givenParts, type LinePart } from '@mooring/domain';

/** A command line for a shell, whose values are in variables: what a caller gives is one word wherever it stands, and never code. */
export interface ShellLine {
  text: string;
  /** Name of the variable of each value that stands in the line. */
  variables: ReadonlyMap<string, string>;
}

/**
 * `${{inputs.x}}` and `${{outputs.y}}` become variables in the quotes that they stand in. A shell never reads what a variable holds as
 * code, so even where quotes are told wrongly (a here-document) nothing is run that the component does not say. `given`: values that are
 * there; a value that is not is an optional input that nobody gave.
 */
export function shellLine(parts: readonly LinePart[], given: ReadonlySet<string>): ShellLine {
  const variables = new Map<string, string>();
  const names = (of: 'inputs' | 'outputs'): Record<string, string> => {
    const prefix = `${of}.`;
    const own = [...given].filter((value) => value.startsWith(prefix));
    return Object.fromEntries(own.map((value) => [value.slice(prefix.length), value]));
  };
  let text = '';
  let quote: '' | "'" | '"' = '';
  for (const part of givenParts(parts, { inputs: names('inputs'), outputs: names('outputs') })) {
    if (part.kind === 'text') {
      quote = quoteAfter(part.text, quote);
      text += part.text;
      continue;
    }
    const variable = variables.get(part.value) ?? `MOORING_VALUE_${variables.size}`;
    variables.set(part.value, variable);
    text += quote === '"' ? `\${${variable}}` : quote === "'" ? `'"$${variable}"'` : `"$${variable}"`;
  }
  return { text, variables };
}

function quoteAfter(text: string, before: '' | "'" | '"'): '' | "'" | '"' {
  let quote = before;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\' && quote !== "'") at += 1;
    else if (quote === '' && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = '';
  }
  return quote;
}
