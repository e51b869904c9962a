// The longest increasing part of a list of positions. Here because a list is put in order with as few moves as there can
// be: what is in that part stays. Must stay true: no DOM, so that it can be tried without a browser.

// Says for each place in `positions` whether it is in a longest increasing part; negative positions do not count.
export function increasing(positions) {
  // `ends[n]`: place of the smallest last element of a part of length n + 1; `before`: the place before each.
  const ends = [];
  const before = [];
  positions.forEach((position, place) => {
    if (position < 0) return;
    // Most of them are in order.
    let [low, high] = [positions[ends.at(-1)] < position ? ends.length : 0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positions[ends[middle]] < position) low = middle + 1;
      else high = middle;
    }
    before[place] = ends[low - 1];
    ends[low] = place;
  });
  const part = positions.map(() => false);
  for (let place = ends.at(-1); place !== undefined; place = before[place]) part[place] = true;
  return part;
}
