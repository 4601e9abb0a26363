/** `address:port`, IPv6 addresses in brackets. */
export const formatAddress = (address: string, port: number): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
