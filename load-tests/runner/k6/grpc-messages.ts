import type { MessageTypeDefinition } from '@grpc/proto-loader';

/** The parts of a descriptor that matter here; proto-loader gives them as plain objects. */
interface FieldDescriptor {
  readonly name: string;
  readonly type: string;
  readonly typeName: string;
}

interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
  readonly options?: { readonly mapEntry?: boolean } | null;
}

type AnyMessage = MessageTypeDefinition<object, object>;

/** Messages by their full name, `inference.ModelInferRequest.InferInputTensor`. */
export class MessageTypes {
  private readonly byName = new Map<string, MessageDescriptor>();

  add(fullName: string, message: AnyMessage): void {
    this.addDescriptor(fullName, message.type as MessageDescriptor);
  }

  private addDescriptor(fullName: string, descriptor: MessageDescriptor): void {
    this.byName.set(fullName, descriptor);
    for (const nested of descriptor.nestedType ?? []) this.addDescriptor(`${fullName}.${nested.name}`, nested);
  }

  /** A field's type, looked up from the innermost scope outwards as protobuf does. */
  private find(typeName: string, within: string): { name: string; descriptor: MessageDescriptor } | undefined {
    if (typeName.startsWith('.')) return this.exact(typeName.slice(1));
    for (let scope = within; ; scope = scope.slice(0, Math.max(0, scope.lastIndexOf('.')))) {
      const found = this.exact(scope === '' ? typeName : `${scope}.${typeName}`);
      if (found !== undefined || scope === '') return found;
    }
  }

  private exact(name: string): { name: string; descriptor: MessageDescriptor } | undefined {
    const descriptor = this.byName.get(name);
    return descriptor === undefined ? undefined : { name, descriptor };
  }

  /**
   * The request with lowerCamelCase field names. k6 takes both spellings and refuses unknown fields; left to protobufjs,
   * a misspelt field would just not be sent.
   */
  canonical(servicePackage: string, { type }: AnyMessage, value: unknown): object {
    const { name } = type as MessageDescriptor;
    if (typeof value !== 'object' || value === null) throw new TypeError(`${name}: the request has to be an object`);
    const found = this.find(name, servicePackage) ?? this.endingWith(`.${name}`);
    return found === undefined ? value : this.message(found.name, found.descriptor, value);
  }

  /** Definitions of methods do not say in which package their request is. */
  private endingWith(suffix: string): { name: string; descriptor: MessageDescriptor } | undefined {
    for (const [name, descriptor] of this.byName) if (name.endsWith(suffix)) return { name, descriptor };
    return undefined;
  }

  private message(fullName: string, descriptor: MessageDescriptor, value: object): object {
    const result: Record<string, unknown> = {};
    for (const [key, content] of Object.entries(value)) {
      const name = camelCase(key);
      const field = descriptor.field.find((candidate) => camelCase(candidate.name) === name);
      if (field === undefined) throw new Error(`${fullName} has no field '${key}'`);
      result[name] = this.field(fullName, field, content);
    }
    return result;
  }

  private field(owner: string, field: FieldDescriptor, content: unknown): unknown {
    const type = field.type === 'TYPE_MESSAGE' ? this.find(field.typeName, owner) : undefined;
    if (type === undefined || typeof content !== 'object' || content === null) return content;
    if (Array.isArray(content)) return content.map((one) => this.item(type.name, type.descriptor, one));
    if (type.descriptor.options?.mapEntry !== true) return this.message(type.name, type.descriptor, content);
    const valueField = type.descriptor.field.find(({ name }) => name === 'value');
    return Object.fromEntries(
      Object.entries(content).map(([key, one]) => [
        key,
        valueField === undefined ? one : this.field(type.name, valueField, one),
      ]),
    );
  }

  private item(fullName: string, descriptor: MessageDescriptor, one: unknown): unknown {
    return typeof one === 'object' && one !== null ? this.message(fullName, descriptor, one) : one;
  }
}

function camelCase(name: string): string {
  return name.replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
