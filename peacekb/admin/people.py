"""People, groups and sign-ins: their own apps' admins, made as safe as ours."""

from typing import Any

import axes.admin  # noqa: F401  registers its admins, which ours replace
import django.contrib.auth.admin  # noqa: F401
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, User

from .safety import SafeAdmin

# The action of axes fails: it asks the request for a time that only a sign-in has. Expired attempts go by themselves.
_OWN = {AccessAttempt: {"actions": ()}}

for model in (User, Group, AccessAttempt, AccessFailureLog, AccessLog):
    stock: Any = type(admin.site.get_model_admin(model))
    admin.site.unregister(model)
    admin.site.register(model, type(f"Safe{stock.__name__}", (SafeAdmin, stock), _OWN.get(model, {})))
