/** A mistake of a person: says which field is wrong and how to mend it. Never retried before the field changes. */
export class UserError extends Error {
  readonly field: string;

  constructor(field: string, remedy: string, options?: ErrorOptions) {
    super(`${field}: ${remedy}`, options);
    this.name = 'UserError';
    this.field = field;
  }
}
