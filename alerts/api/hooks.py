"""Where providers report to: /hooks/<transport>/."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from alerts.errors import AlertsError, BadInput, BadSignature, UnknownTransport
from alerts.sending import webhooks

STATUS: dict[type[AlertsError], int] = {BadInput: 400, BadSignature: 401, UnknownTransport: 404}


@csrf_exempt
@require_POST
def receive(request: HttpRequest, transport: str) -> JsonResponse:
    """Store what a provider reports; nothing is done about it here, so that the answer comes at once."""
    try:
        new = webhooks.receive(
            transport=transport,
            headers=request.headers,
            body=request.body,
            query=request.META.get("QUERY_STRING", ""),
            now=timezone.now(),
        )
    except AlertsError as error:
        said = {"code": error.code, "field": error.field, "detail": error.detail}
        return JsonResponse(said, status=STATUS[type(error)])
    return JsonResponse({"stored": new})
