// Permutations: the most flips that bring 0 to the front, over all orders of n numbers.
const SIZE = 6;

function fannkuch(n) {
  const perm = [];
  const count = [];
  const order = [];
  for (let i = 0; i < n; i++) {
    order.push(i);
    perm.push(0);
    count.push(0);
  }
  let most = 0;
  let checksum = 0;
  let even = true;
  let r = n;
  while (true) {
    while (r !== 1) {
      count[r - 1] = r;
      r--;
    }
    for (let i = 0; i < n; i++) {
      perm[i] = order[i];
    }
    let flips = 0;
    let first = perm[0];
    while (first !== 0) {
      let low = 1;
      let high = first - 1;
      while (low < high) {
        const swapped = perm[low];
        perm[low] = perm[high];
        perm[high] = swapped;
        low++;
        high--;
      }
      const next = perm[first];
      perm[first] = first;
      first = next;
      flips++;
    }
    if (flips > most) {
      most = flips;
    }
    checksum += even ? flips : -flips;
    even = !even;
    // The next order: rotate ever longer beginnings until one has a turn left.
    while (true) {
      if (r === n) {
        return [checksum, most];
      }
      const front = order[0];
      for (let i = 0; i < r; i++) {
        order[i] = order[i + 1];
      }
      order[r] = front;
      count[r]--;
      if (count[r] > 0) {
        break;
      }
      r++;
    }
  }
}

const [checksum, most] = fannkuch(SIZE);
console.log(`${checksum} ${most}`);
