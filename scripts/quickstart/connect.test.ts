import { expect } from 'chai';
import { closingText, connectionLines, type Access } from './connect.ts';

const access: Access = {
  kubectl: 'kubectl --kubeconfig /k',
  namespace: 'default',
  cluster: 'quickstart',
  user: 'app',
  database: 'app',
  services: { rw: '10.0.0.1', ro: '10.0.0.2', port: 5432 },
  rwPod: 'quickstart-1-2',
};

describe('how to connect', () => {
  it('is one line, with the password from the Secret and never in it', () => {
    expect(connectionLines(access, { interactive: true }).rw).to.equal(
      `PGPASSWORD="$(kubectl --kubeconfig /k get secret quickstart-app -o jsonpath='{.data.password}' | base64 -d)" ` +
        `psql 'host=10.0.0.1 port=5432 user=app dbname=app sslmode=require'`,
    );
  });

  it('names the namespace when it is not the default one', () => {
    const { rw, exec } = connectionLines({ ...access, namespace: 'shop' }, { interactive: false });
    expect(rw).to.contain('kubectl --kubeconfig /k --namespace shop get secret');
    expect(exec).to.contain('--namespace shop exec quickstart-1-2 -c engine');
  });

  it('forwards a port where Services cannot be reached', () => {
    const text = closingText({ ...access, services: undefined }, { followers: 2, down: 'X', hasPsql: true });
    expect(text).to.contain('port-forward pod/quickstart-1-2 15432:5432').and.contain("'host=127.0.0.1 port=15432 ");
    expect(text).not.to.contain('Read-only');
  });

  it('tells how to look, how to remove, and where psql comes from', () => {
    const text = closingText(access, { followers: 2, down: 'npm run quickstart -- --down', hasPsql: false });
    expect(text).to.contain('one read-write and 2 read-only instances');
    expect(text).to.contain('describe mpdcluster quickstart').and.contain('docs/troubleshooting.md');
    expect(text).to.contain('Remove it all: npm run quickstart -- --down');
    expect(text).to.contain('package postgresql-client');
  });
});
