//! What a message costs the server's processor, without network and without waiting for the disk.
//! `cargo test --release -p zegel-server --test service_cost -- --ignored --nocapture`

mod service_help;

use service_help::*;
use zegel_proto::v1::client_frame as ask;
use zegel_server::config::{Config, Rate};

fn cpu() -> std::time::Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<_> = text.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().expect("user") + fields[12].parse::<u64>().expect("system");
    std::time::Duration::from_millis(ticks * 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn processor_time_of_a_message() {
    const MESSAGES: u32 = 20_000;
    let mut config = Config::default();
    config.limits.submit_per_device = Rate { burst: 1 << 30, per_hour: 1 << 30 };
    let world = World::with(config).await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    let to_bob = bob.publish(1).await[0];
    let mut group = Group::new();
    alice.submit(group.founds(&[to_bob], "hi")).await.expect("founded");
    bob.accept(&to_bob, &group.id).await.expect("accepted");

    let text = "x".repeat(1000);
    let submits: Vec<_> = (0..MESSAGES).map(|_| group.says(&text, &[to_bob])).collect();
    let (cpu_before, before) = (cpu(), std::time::Instant::now());
    let mut running = tokio::task::JoinSet::new();
    for submit in submits {
        let (service, mut session) = (world.service.clone(), alice.session.clone());
        running.spawn(async move { service.call(&mut session, ask::Body::Submit(submit)).await });
        if running.len() >= 256 {
            running.join_next().await;
        }
    }
    while running.join_next().await.is_some() {}
    let (cpu, wall) = (cpu() - cpu_before, before.elapsed());
    println!(
        "{MESSAGES} messages: {:?} of processor each, {:?} of time each",
        cpu / MESSAGES,
        wall / MESSAGES
    );
}
