"""A proxy of JupyterHub that sends nobody anywhere. A hub with it can be talked to, and its members' servers cannot."""

from typing import Any

from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    """It only remembers where it would send whom."""

    should_start = False

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.routes: dict[str, dict[str, Any]] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, dict[str, Any]]:
        return self.routes
