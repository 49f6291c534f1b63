"""A gate inside a structure or a label."""

from mongoengine import BooleanField, EmbeddedDocument, FloatField, StringField


class GateDocument(EmbeddedDocument):
    """Mirror of `vitrion_workflows.schemas.GateOutcome`."""

    name = StringField(required=True)
    passed = BooleanField(required=True)
    value = FloatField()
    lower = FloatField()
    upper = FloatField()
    unit = StringField(default="")
    message = StringField(default="")
