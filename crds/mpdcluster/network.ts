import * as z from 'zod';
import { text } from '../fields.ts';
import { withRules } from '../rules.ts';

const ignored = 'Accepted from the original, where it had no effect either.';

/** Shape of the original; in spec it is refused unless empty, in status it is never filled. */
export const floatingIp = z
  .object({
    ipAddressCfgType: text(16).optional().describe('auto or manual.'),
    ipAddress: text(64).optional().describe('The address.'),
    mask: z.int().optional().describe('Length of the network mask.'),
    gateWay: text(64).optional().describe('Gateway of the address.'),
    basedNetIf: text(64).optional().describe('Network card that carries the address.'),
    ipMode: text(16).optional().describe('VirtualIF or MultiIP.'),
  })
  .describe('Floating address of the RW.');

const leaderFloatingIp = withRules(floatingIp, [
  {
    message: 'floating addresses are not provided: Service <cluster>-rw follows the RW',
    cel: "self.?ipAddress.orValue('') == '' && self.?ipAddressCfgType.orValue('') == ''",
    holds: ({ ipAddress = '', ipAddressCfgType = '' }) => ipAddress === '' && ipAddressCfgType === '',
  },
]).describe('Floating address of the RW; refused when it asks for one, because Service <cluster>-rw follows the RW.');

export const netCfg = withRules(
  z.object({
    netType: z.enum(['host', '']).optional().describe('host, as engineStartPort means already; it is then required.'),
    engineStartPort: z
      .int()
      .min(1024)
      .max(65535)
      .meta({ format: 'int32' })
      .optional()
      .describe(
        'Port of every instance on the network of its host, so one instance per host. Absent: pod network, port 5432. ' +
          'Must lie in the port range of the site and be free.',
      ),
    engineAddress: text(64).optional().describe(`Network card or address of the engine. ${ignored}`),
    proxyStartPort: z.int().optional().describe(`Port of the proxy. ${ignored}`),
    proxyNetIF: text(64).optional().describe(`Network card or address of the proxy. ${ignored}`),
    portStep: z.int().optional().describe(`Distance of the ports of two instances on one host. ${ignored}`),
    enableEngineAdminIP: z.boolean().optional().describe(`Engine reachable on the admin network. ${ignored}`),
    enableProxyAdminIP: z.boolean().optional().describe(`Proxy reachable on the admin network. ${ignored}`),
    leaderFloatingIP: leaderFloatingIp.optional(),
  }),
  [
    {
      field: '.netType',
      message: 'host needs engineStartPort',
      cel: "self.?netType.orValue('') == '' || has(self.engineStartPort)",
      holds: ({ netType = '', engineStartPort }) => netType === '' || engineStartPort !== undefined,
    },
  ],
).describe('Network of the instances.');

export const dbProxyInfo = withRules(
  z.object({
    enabled: z.boolean().describe('Only false is accepted.'),
    name: text(253).optional().describe('Name of the proxy; has no effect.'),
    resourceType: z.enum(['stand', 'high', 'low', '']).optional().describe('Size of the proxy; has no effect.'),
    consistencyLevel: z.int().optional().describe('Consistency of sessions through the proxy; has no effect.'),
  }),
  [
    {
      field: '.enabled',
      message: 'there is no proxy: connect to Services <cluster>-rw and <cluster>-ro',
      cel: '!self.enabled',
      holds: ({ enabled }) => !enabled,
    },
  ],
).describe('MaxScale proxy, which the original accepted and never ran; refused when enabled.');
