/** RFC 8785, section 3.2 and the samples published with it: JSON and its canonical form. */
const samples: readonly (readonly [name: string, input: string, canonical: string])[] = [
  [
    "RFC 8785 section 3.2.2",
    String.raw`{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`,
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
      `"string":"\u20ac$` +
      String.raw`\u000f\nA'B\"\\\\\"/"}`,
  ],
  [
    "RFC 8785 section 3.2.3",
    String.raw`{
  "\u20ac": "Euro Sign",
  "\r": "Carriage Return",
  "\ufb33": "Hebrew Letter Dalet With Dagesh",
  "1": "One",
  "\ud83d\ude00": "Emoji: Grinning Face",
  "\u0080": "Control",
  "\u00f6": "Latin Small Letter O With Diaeresis"
}`,
    String.raw`{"\r":"Carriage Return","1":"One",` +
      `"\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",` +
      `"\u20ac":"Euro Sign","\u{1f600}":"Emoji: Grinning Face",` +
      `"\ufb33":"Hebrew Letter Dalet With Dagesh"}`,
  ],
  ["arrays", '[ 56, { "d": true, "10": null, "1": [ ] } ]', '[56,{"1":[],"10":null,"d":true}]'],
  [
    "structures",
    String.raw`{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ { } ], "A": { }}`,
    String.raw`{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}`,
  ],
  [
    "no order of a language",
    '{"peach": "a", "p\u00e9ch\u00e9": "b", "p\u00eache": "c", "sin": "d"}',
    '{"peach":"a","p\u00e9ch\u00e9":"b","p\u00eache":"c","sin":"d"}',
  ],
  [
    "no normalization",
    String.raw`{"Unnormalized Unicode":"\u1e0d\u0307"}`,
    '{"Unnormalized Unicode":"\u1e0d\u0307"}',
  ],
  ["no escape that is not needed", String.raw`"<\/script>\u007f"`, '"</script>\u007f"'],
  ["short escapes", String.raw`"\u0008\u0009\u000a\u000c\u000d"`, String.raw`"\b\t\n\f\r"`],
  ["minus zero", "-0", "0"],
  ["minus zero as a fraction", "[-0.0]", "[0]"],
  ["the key __proto__", '{"b":1,"__proto__":{"a":2}}', '{"__proto__":{"a":2},"b":1}'],
  ["an exponent from 1e21", "1000000000000000000000", "1e+21"],
  ["no exponent below 1e21", "1e20", "100000000000000000000"],
  ["the shortest digits of an integer", "333333333333333300", "333333333333333300"],
];

/** RFC 8785 appendix B: a double in hex, big-endian, and its text. */
const numbers: readonly (readonly [ieee754: string, text: string])[] = [
  ["0000000000000000", "0"],
  ["8000000000000000", "0"],
  ["0000000000000001", "5e-324"],
  ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"],
  ["ffefffffffffffff", "-1.7976931348623157e+308"],
  ["4340000000000000", "9007199254740992"],
  ["c340000000000000", "-9007199254740992"],
  ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"],
  ["44b52d02c7e14af6", "1e+23"],
  ["44b52d02c7e14af7", "1.0000000000000001e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"],
  ["444b1ae4d6e2ef4f", "999999999999999900000"],
  ["444b1ae4d6e2ef50", "1e+21"],
  ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ["3eb0c6f7a0b5ed8d", "0.000001"],
  ["41b3de4355555553", "333333333.3333332"],
  ["41b3de4355555554", "333333333.33333325"],
  ["41b3de4355555555", "333333333.3333333"],
  ["41b3de4355555556", "333333333.3333334"],
  ["41b3de4355555557", "333333333.33333343"],
  ["becbf647612f3696", "-0.0000033333333333333333"],
  ["43143ff3c1cb0959", "1424953923781206.2"],
];

const code = "invalid_json";

const invalid: readonly (readonly [text: string, why: string])[] = [
  ["", "nothing at all"],
  [" ", "only space"],
  ["{", "an object without end"],
  ["[1,]", "a comma before the end of an array"],
  ["{'a':1}", "single quotes"],
  ["{a:1}", "a key without quotes"],
  ["01", "a leading zero"],
  ["+1", "a plus sign"],
  [".5", "no digit before the point"],
  ["NaN", "not a number"],
  ["Infinity", "infinity"],
  ["1e400", "a number beyond a double"],
  ["1 2", "two values"],
  ["[1]]", "a bracket too many"],
  ["undefined", "undefined"],
  ['"\t"', "a tab in a string"],
  ['"a', "a string without end"],
  [String.raw`"\x41"`, "an unknown escape"],
  [String.raw`"\ud800"`, "a lone surrogate"],
  [String.raw`{"\udc00":1}`, "a lone surrogate in a key"],
  ['{"a":1,"a":1}', "a key twice"],
  [String.raw`{"a":1,"\u0061":2}`, "a key twice, once escaped"],
  ['[{"b":{"a":1,"c":2,"a":3}}]', "a key twice, deep within"],
  ["\ufeff1", "a byte order mark"],
  ["9007199254740993", "an integer that a double changes"],
  ["12345678901234567890", "a longer integer that a double changes"],
];

const invalidBytes: readonly (readonly [hex: string, why: string])[] = [
  ["22ff22", "a byte that is never UTF-8"],
  ["22c08022", "an overlong form"],
  ["22eda08022", "a lone surrogate in UTF-8"],
];

/** The vectors of JSON. */
export function jcsVectors() {
  const hexOf = (text: string): string => Buffer.from(text, "utf8").toString("hex");
  return {
    about:
      "Canonical JSON (RFC 8785). `canonical` is the canonical form of `input`; `hex` is the UTF-8" +
      " of a text that is refused; a number is a double in hex and its canonical text.",
    valid: samples.map(([name, input, canonical]) => ({ name, input, canonical })),
    numbers: numbers.map(([ieee754, text]) => ({ name: ieee754, text })),
    invalid: [
      ...invalid.map(([text, why]) => ({ name: why, hex: hexOf(text), code })),
      ...invalidBytes.map(([hex, why]) => ({ name: why, hex, code })),
      { name: "65 arrays in one another", hex: "5b".repeat(65), code: "limit_exceeded" },
    ],
  };
}
