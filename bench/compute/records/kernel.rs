//! Records: balls in a box, whose places and speeds are small records made anew in each step.
const SIZE: usize = 10;

#[derive(Clone, Copy)]
struct Vector {
    x: f64,
    y: f64,
}

struct Ball {
    name: i64,
    place: Vector,
    speed: Vector,
    bounces: i64,
}

fn plus(a: Vector, b: Vector) -> Vector {
    Vector {
        x: a.x + b.x,
        y: a.y + b.y,
    }
}

fn times(a: Vector, factor: f64) -> Vector {
    Vector {
        x: a.x * factor,
        y: a.y * factor,
    }
}

fn make_balls(count: i64) -> Vec<Ball> {
    let mut seed = 42_i64;
    let mut balls = Vec::new();
    for name in 0..count {
        seed = (seed * 3877 + 29573) % 139968;
        let speed = Vector {
            x: (seed % 100) as f64 / 50.0 - 1.0,
            y: (seed % 70) as f64 / 35.0 - 1.0,
        };
        let place = Vector {
            x: 0.5,
            y: seed as f64 / 139968.0,
        };
        balls.push(Ball {
            name,
            place,
            speed,
            bounces: 0,
        });
    }
    balls
}

fn step(balls: &mut [Ball], time: f64) {
    for ball in balls {
        ball.place = plus(ball.place, times(ball.speed, time));
        if ball.place.x < 0.0 || ball.place.x > 1.0 {
            ball.speed = Vector {
                x: -ball.speed.x,
                y: ball.speed.y,
            };
            ball.bounces += 1;
        }
        if ball.place.y < 0.0 || ball.place.y > 1.0 {
            ball.speed = Vector {
                x: ball.speed.x,
                y: -ball.speed.y,
            };
            ball.bounces += 1;
        }
    }
}

fn main() {
    let mut balls = make_balls(100);
    for _ in 0..std::hint::black_box(SIZE) {
        step(&mut balls, 0.01);
    }
    let (mut bounces, mut sum) = (0, 0.0);
    for ball in &balls {
        bounces += ball.bounces * (ball.name + 1);
        sum += ball.place.x + ball.place.y;
    }
    println!("{bounces}");
    println!("{sum:.9}");
}
