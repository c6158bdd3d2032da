const hostForm = /^(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** Where the caller reaches this server: what it wrote into `Host`, or what we listen on when that says nothing sane. */
export function baseUrlOf(host: string | undefined, ownUrl: string): string {
  return host !== undefined && hostForm.test(host) && URL.canParse(`http://${host}`) ? `http://${host}` : ownUrl;
}
