"""What is true in a generated scene: its conditions, its people, and how often each occurs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np

Group = tuple[tuple[str, str], ...]  # a conjunction of (attribute, value)
Shares = Mapping[str, Mapping[str, float]]

WIDTH, HEIGHT = 320, 224  # pixels of a scene
MIN_ADULT, MAX_ADULT = 104.0, 178.0  # pixels; log-uniform height of a standing adult
HORIZON = 78.0  # pixels from the top

CONDITION_SHARES: Shares = {
    "place": {"street": 0.5, "platform": 0.5},
    "time": {"day": 0.65, "night": 0.35},
    "weather": {"clear": 0.62, "fog": 0.17, "rain": 0.21},
    "focus": {"sharp": 0.86, "blurred": 0.14},
}
PERSON_SHARES: Shares = {
    "sex": {"woman": 0.5, "man": 0.5},
    "age": {"adult": 0.6, "child": 0.18, "senior": 0.22},
    "headwear": {"none": 0.55, "hat": 0.2, "helmet": 0.25},
    "glasses": {"no": 0.7, "yes": 0.3},
    "hair": {"dark": 0.4, "blond": 0.25, "red": 0.17, "gray": 0.18},
    "clothing": {"red": 0.2, "blue": 0.24, "green": 0.18, "white": 0.18, "black": 0.2},
    "vest": {"no": 0.76, "yes": 0.24},
    "pose": {"standing": 0.43, "walking": 0.34, "sitting": 0.23},
    "occlusion": {"none": 0.83, "partial": 0.17},
}
PEOPLE_SHARES: Mapping[int, float] = {1: 0.27, 2: 0.33, 3: 0.25, 4: 0.15}

IMAGE_ATTRIBUTES = tuple(CONDITION_SHARES)
PERSON_ATTRIBUTES = tuple(PERSON_SHARES)


@dataclass(frozen=True)
class Conditions:
    """What holds for a whole image."""

    place: str
    time: str
    weather: str
    focus: str


@dataclass(frozen=True)
class Person:
    """One person: true values, and where the figure stands in pixels."""

    sex: str
    age: str
    headwear: str
    glasses: str
    hair: str
    clothing: str
    vest: str
    pose: str
    occlusion: str
    scale: float = 100.0  # height of a standing adult at this distance
    x: float = 0.0  # middle of the feet

    @property
    def floor(self) -> float:
        """The row in pixels on which the feet stand: nearer is lower."""
        return floor_of(self.scale)

    @property
    def depth(self) -> float:
        """Distance from the camera: 1 for the nearest people, about 2.4 for the farthest."""
        return MAX_ADULT / self.scale


@dataclass(frozen=True)
class Scene:
    """Conditions and people of one image; people from far to near."""

    conditions: Conditions
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Plan:
    """How scenes are drawn by lot: shares of values, and groups of people that are left out.

    A person (or an image's conditions) who falls into a left-out group is drawn again, but for the
    share `keep` of them: "few" rather than "none".
    """

    conditions: Shares = field(default_factory=lambda: CONDITION_SHARES)
    people: Shares = field(default_factory=lambda: PERSON_SHARES)
    left_out: tuple[Group, ...] = ()
    keep: float = 0.0


def floor_of(scale: float) -> float:
    """Return the row in pixels of the ground where a standing adult is `scale` pixels tall."""
    return HORIZON + 10 + (HEIGHT - HORIZON - 16) * float((scale / MAX_ADULT) ** 1.1)


def draw_scene(rng: np.random.Generator, plan: Plan) -> Scene:
    """Draw conditions and one to four people by lot."""
    conditions = _draw_conditions(rng, plan)
    counts = list(PEOPLE_SHARES)
    count = int(rng.choice(counts, p=list(PEOPLE_SHARES.values())))
    people: list[Person] = []
    for _ in range(count):
        person = _place(rng, _draw_person(rng, plan, conditions), people)
        if person is not None:
            people.append(person)
    return Scene(conditions, tuple(sorted(people, key=lambda person: person.scale)))


def describe(conditions: Conditions, person: Person | None = None) -> dict[str, str]:
    """Return the true values of an image, or of a person in it, by attribute."""
    values: dict[str, str] = asdict(conditions)
    if person is not None:
        values |= {name: getattr(person, name) for name in PERSON_ATTRIBUTES}
    return values


def matches(values: Mapping[str, str], group: Group) -> bool:
    """Return whether true values fall into a group; an attribute they do not have never matches."""
    return all(values.get(attribute) == value for attribute, value in group)


def _pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _draw_conditions(rng: np.random.Generator, plan: Plan) -> Conditions:
    while True:
        conditions = Conditions(
            **{item.name: _pick(rng, plan.conditions[item.name]) for item in fields(Conditions)}
        )
        if _accepted(rng, describe(conditions), plan):
            return conditions


def _draw_person(rng: np.random.Generator, plan: Plan, conditions: Conditions) -> Person:
    while True:
        values = {name: _pick(rng, plan.people[name]) for name in PERSON_ATTRIBUTES}
        if values["age"] == "senior" and rng.random() < 0.6:
            values["hair"] = "gray"
        elif values["age"] == "child" and values["hair"] == "gray":
            values["hair"] = "blond"
        person = Person(**values)  # type: ignore[arg-type]  # the numbers keep their defaults
        if _accepted(rng, describe(conditions, person), plan):
            return person


def _accepted(rng: np.random.Generator, values: Mapping[str, str], plan: Plan) -> bool:
    left_out = any(matches(values, group) for group in plan.left_out)
    return not left_out or rng.random() < plan.keep


def _place(rng: np.random.Generator, person: Person, others: list[Person]) -> Person | None:
    """Find a place beside the people who are there; None when the scene is full."""
    for _ in range(30):
        scale = float(np.exp(rng.uniform(np.log(MIN_ADULT), np.log(MAX_ADULT))))
        x = float(rng.uniform(0.24 * scale, WIDTH - 0.24 * scale))
        if all(abs(x - other.x) > 0.24 * (scale + other.scale) for other in others):
            return replace(person, scale=scale, x=x)
    return None
