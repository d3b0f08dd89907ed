//! One run: a population on a service, day by day.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{
    assumptions::Assumptions,
    people::{People, Role},
    predators::Actor,
    score::Tally,
    service::{Rules, Service},
    styles::Style,
};

/// How large a run is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub people: usize,
    pub days: u32,
    /// Predators of each style in a thousand people: many more than there are, so that they can be measured.
    pub of_each: usize,
}

/// A run under way.
pub struct World<'a> {
    pub about: &'a Assumptions,
    pub people: People,
    pub service: Service,
    pub random: StdRng,
    /// Guardians are ours, and nobody sees anybody's friends: on a usual service whom one accepted does.
    pub ours: bool,
}

impl World<'_> {
    /// Lets it run, and says what became of everybody.
    pub fn run(rules: &Rules, about: &Assumptions, styles: &[Style], size: Size, seed: u64) -> Vec<Tally> {
        let mut random = StdRng::seed_from_u64(seed);
        let styles: Vec<_> = styles.iter().map(|style| (*style, size.of_each)).collect();
        let people = People::new(size.people, &styles, about, size.days, &mut random);
        let service = Service::new(rules, about, &people, &mut random);
        let ours = matches!(rules, Rules::Zegel { .. });
        let mut world = World { about, people, service, random, ours };
        let persons = 0..world.people.roles.len();
        let predator = |who| match world.people.roles[who] {
            Role::Predator(style) => Some((who, style)),
            _ => None,
        };
        let predators: Vec<_> = persons.filter_map(predator).collect();
        let mut actors: Vec<Actor> = Vec::new();
        for (who, style) in predators {
            actors.push(Actor::new(&mut world, who, style));
        }
        for today in 0..size.days {
            world.service.today = today;
            world.honest_day();
            actors.iter_mut().for_each(|actor| actor.day(&mut world));
            world.service.tend(&world.people.accounts, &world.people.roles, &mut world.random);
        }
        world.service.tallies
    }

    pub fn chance(&mut self, part: f64) -> bool {
        self.random.random_bool(part.clamp(0.0, 1.0))
    }

    /// Whether their account is there yet, and theirs: nobody took it over.
    pub fn is_here(&self, who: usize) -> bool {
        let account = &self.people.accounts[who];
        account.person == who && account.age_at_start + i64::from(self.service.today) >= 0
    }

    pub fn is_guarded(&self, who: usize) -> bool {
        self.ours && self.people.accounts[who].guarded
    }
}
