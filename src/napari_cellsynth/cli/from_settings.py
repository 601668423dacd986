"""Options of a command from a settings model, so that each setting is written once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, make_dataclass
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from tyro.conf import OmitArgPrefixes, arg

from napari_cellsynth.errors import BadInput

Model = TypeVar("Model", bound=BaseModel)


def options_of(model: type[BaseModel], *, about: str, leave_out: tuple[str, ...] = ()) -> type[Any]:
    """A frozen dataclass with the fields of a settings model and their sentences as help, headed ``about``."""
    chosen = {name: one for name, one in model.model_fields.items() if name not in leave_out}
    made = [
        (name, Annotated[one.annotation, _as_option(one)], field(default=one.default)) for name, one in chosen.items()
    ]
    namespace = {"__doc__": about}
    return make_dataclass(f"{model.__name__}Options", made, frozen=True, kw_only=True, namespace=namespace)


def _as_option(one: FieldInfo) -> Any:
    """Help from the field's sentence; what is empty by default says so in its sentence."""
    if one.default is not None:
        return arg(help=one.description)
    kinds = [kind for kind in get_args(one.annotation) if kind is not NoneType]
    words = [word for kind in kinds for word in get_args(kind) or [kind.__name__.upper()]]
    return arg(help=one.description, metavar="|".join(words), help_behavior_hint="")


def flat(kind: type[Any]) -> Any:
    """As options of the command itself, without the name of the field they stand in."""
    everything: Any = OmitArgPrefixes
    return everything[kind]


def settings_from(model: type[Model], options: Any, **more: Any) -> Model:
    """The settings that the options say; BadInput in the shell's words where one is out of bounds."""
    given = {one.name: getattr(options, one.name) for one in fields(options)} | more
    return validated(model, given)


def validated(model: type[Model], given: Mapping[str, Any]) -> Model:
    """``model(**given)``; BadInput naming the option."""
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        words = first["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
        if not first["loc"]:
            raise BadInput(words) from None
        name = str(first["loc"][0])
        raise BadInput(f"--{name.replace('_', '-')} {given.get(name)!r} given; {words}") from None
