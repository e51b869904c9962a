// Records: balls in a box, whose places and speeds are small records made anew in each step.
const SIZE = 10;

function vector(x, y) {
  return { x, y };
}

function plus(a, b) {
  return vector(a.x + b.x, a.y + b.y);
}

function times(a, factor) {
  return vector(a.x * factor, a.y * factor);
}

function makeBalls(count) {
  const balls = [];
  let seed = 42;
  for (let i = 0; i < count; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    const speed = vector((seed % 100) / 50 - 1, (seed % 70) / 35 - 1);
    balls.push({ name: i, place: vector(0.5, seed / 139968), speed, bounces: 0 });
  }
  return balls;
}

function step(balls, time) {
  for (const ball of balls) {
    ball.place = plus(ball.place, times(ball.speed, time));
    if (ball.place.x < 0 || ball.place.x > 1) {
      ball.speed = vector(-ball.speed.x, ball.speed.y);
      ball.bounces += 1;
    }
    if (ball.place.y < 0 || ball.place.y > 1) {
      ball.speed = vector(ball.speed.x, -ball.speed.y);
      ball.bounces += 1;
    }
  }
}

const balls = makeBalls(100);
for (let turn = 0; turn < SIZE; turn++) {
  step(balls, 0.01);
}
let bounces = 0;
let sum = 0;
for (const ball of balls) {
  bounces += ball.bounces * (ball.name + 1);
  sum += ball.place.x + ball.place.y;
}
console.log(bounces);
console.log(sum.toFixed(9));
