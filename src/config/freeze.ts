/** Freezes plain objects and arrays, all the way down. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
    if (value instanceof Map) value.forEach(deepFreeze);
  }
  return value;
}
