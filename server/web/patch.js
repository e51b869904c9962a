// Patches from the server: what of a block differs (docs/internals/live-protocol.md). Here, in a file that comes behind the
// runtime, because a page is asked for patches only once it stands. Must stay true: what a patch does not name stays.

// `blocks`: what of `blocks.js` is needed here. Gives the function that applies a patch to a block.
export const patching = ({ arrange, kindOf, put }) => {
  // Applies a patch: what it does not name stays.
  function applyPatch(block, changes) {
    block.from = null;
    for (const [i, change] of Object.entries(changes)) {
      const partial = change !== null && typeof change === "object" && !Array.isArray(change);
      const kind = kindOf(block, i);
      if (partial && kind === "list") patchList(block, i, change.ops);
      else if (partial && kind === "block") applyPatch(block.v[i], change);
      else if (kind === "attributes") {
        const whole = { ...block.v[i], ...change };
        for (const name in whole) if (whole[name] === null) delete whole[name];
        put(block, i, whole);
      } else put(block, i, change);
    }
  }

  // Does the operations of a list, one after the other.
  function patchList(block, i, ops) {
    const wanted = [...block.v[i]];
    const keys = new Map(wanted.map((item) => [item.k, item]));
    const place = (key) => {
      const found = key === null ? wanted.length : wanted.indexOf(keys.get(key));
      if (found < 0) throw new Error(`no item ${key}`);
      return found;
    };
    for (const [op, key, how, values] of ops) {
      let item = [key, values];
      if (op === "p") applyPatch(wanted[place(key)], how);
      else if (op !== "i") [item] = wanted.splice(place(key), 1);
      if (op === "i" || op === "m") wanted.splice(place(how), 0, item);
      if (op === "i") keys.set(key, item);
    }
    block.v[i] = arrange(block, i, wanted);
  }

  return applyPatch;
};
