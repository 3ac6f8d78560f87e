"""A panel with something in it: two places, three nodes, games, and who may call."""

from lab.pterodactyl.clock import Clock
from lab.pterodactyl.panel import Panel
from lab.pterodactyl.things import Allocation, Egg, Location, Nest, Node, User, Variable
from lab.pterodactyl.web import Keys, PanelWeb

APPLICATION_KEY = "ptla_standin-application-key"
CLIENT_KEY = "ptlc_standin-client-key"
PORTS = 120
"""On each node: more than a page of them."""


def furnished(clock: Clock, *, install_s: float = 5.0) -> PanelWeb:
    """Return a panel that can be called with the two keys."""
    panel = Panel(clock, install_s=install_s)
    admin = User(panel.number(), "ops@panel.test", "ops", "Ada", "Ops", root_admin=True)
    panel.users[admin.id] = admin
    for short, names in (("fra", ("fra1", "fra2")), ("ams", ("ams1",))):
        place = Location(panel.number(), short, f"{short.upper()} hall")
        panel.locations[place.id] = place
        for name in names:
            node = Node(panel.number(), name, place.id, memory=64_000, disk=500_000)
            panel.nodes[node.id] = node
            for port in range(25_565, 25_565 + PORTS):
                number = panel.number()
                panel.allocations[number] = Allocation(
                    number, node.id, f"192.0.2.{10 + node.id % 100}", port, f"{name}.play.test"
                )
    _games(panel)
    return PanelWeb(panel, Keys({APPLICATION_KEY: None}, {CLIENT_KEY: admin.id}))


def _games(panel: Panel) -> None:
    minecraft = Nest(panel.number(), "Minecraft")
    source = Nest(panel.number(), "Source Engine")
    panel.nests = {nest.id: nest for nest in (minecraft, source)}
    java = "ghcr.io/pterodactyl/yolks:java_21"
    paper = Egg(
        panel.number(), minecraft.id, "Paper", java,
        "java -Xms128M -Xmx{{SERVER_MEMORY}}M -jar {{SERVER_JARFILE}}",
        [
            Variable("Minecraft Version", "MINECRAFT_VERSION", "latest", "nullable|string|max:20"),
            Variable("Server Jar File", "SERVER_JARFILE", "server.jar",
                     r"required|regex:/^([\w\d._-]+)(\.jar)$/"),
        ],
    )  # fmt: skip
    csgo = Egg(
        panel.number(), source.id, "Counter-Strike 2", "ghcr.io/pterodactyl/games:source",
        "./game/bin/linuxsteamrt64/cs2 -dedicated",
        [Variable("Game ID", "SRCDS_APPID", "730", "required|string|in:730")],
    )  # fmt: skip
    panel.eggs = {egg.id: egg for egg in (paper, csgo)}
