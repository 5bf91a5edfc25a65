"""A control point of async-upnp-client, as Home Assistant's: what the lab tests make it do.

usage: control_point.py walk DESCRIPTION_URL          -> a line of JSON: what was found
       control_point.py play DESCRIPTION_URL RENDERER_URL CONTAINER_ID
       control_point.py find SECONDS                   -> device types and locations found by SSDP
"""

import asyncio
import json
import subprocess
import sys
import time

from async_upnp_client.aiohttp import AiohttpRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import UpnpError
from async_upnp_client.search import async_search
from didl_lite import didl_lite


def well_formed(text):
    """Fails the run unless xmllint agrees."""
    subprocess.run(["xmllint", "--noout", "-"], input=text.encode(), check=True)


async def device(url):
    """Strict: every service description has to be right."""
    return await UpnpFactory(AiohttpRequester(timeout=20)).async_create_device(url)


def service(of, word):
    return next(s for t, s in of.services.items() if f":{word}:" in t)


async def children(directory, container):
    """All pages of a container."""
    found = []
    while True:
        page = await directory.action("Browse").async_call(
            ObjectID=container, BrowseFlag="BrowseDirectChildren", Filter="*",
            StartingIndex=len(found), RequestedCount=2, SortCriteria="")
        well_formed(page["Result"])
        items = didl_lite.from_xml_string(page["Result"], strict=True)
        assert len(items) == page["NumberReturned"], page
        found += items
        if len(found) >= page["TotalMatches"]:
            assert len(found) == page["TotalMatches"], (container, page)
            return found
        assert items, (container, page)


async def walk(url):
    server = await device(url)
    directory = service(server, "ContentDirectory")
    containers, tracks, titles = {}, {}, {}

    async def enter(container, depth):
        assert depth < 8, container
        for child in await children(directory, container):
            own = await directory.action("Browse").async_call(
                ObjectID=child.id, BrowseFlag="BrowseMetadata", Filter="*",
                StartingIndex=0, RequestedCount=0, SortCriteria="")
            well_formed(own["Result"])
            assert didl_lite.from_xml_string(own["Result"])[0].title == child.title
            if isinstance(child, didl_lite.Container):
                if child.id not in containers:
                    containers[child.id] = child.title
                    await enter(child.id, depth + 1)
            else:
                assert child.res, child.id
                tracks[child.id] = [(r.protocol_info, r.uri) for r in child.res]
                titles[child.id] = child.title

    await enter("0", 0)
    searches = {}
    for criteria in (
        '*',
        'upnp:class derivedfrom "object.item.audioItem" and @refID exists false',
        'upnp:class = "object.container.album.musicAlbum"',
        'upnp:class = "object.container.person.musicArtist"',
        'upnp:class derivedfrom "object.item.audioItem" and dc:title contains "sine"',
        'upnp:artist contains "alpha"',
        'upnp:genre = "Jazz" and upnp:class derivedfrom "object.item"',
    ):
        page = await directory.action("Search").async_call(
            ContainerID="0", SearchCriteria=criteria, Filter="*", StartingIndex=0,
            RequestedCount=0, SortCriteria="+dc:title")
        well_formed(page["Result"])
        searches[criteria] = [item.id for item in didl_lite.from_xml_string(page["Result"])] \
            if page["NumberReturned"] else []
    faults = {}
    for name, arguments in (
        ("Browse", dict(ObjectID="no-such", BrowseFlag="BrowseMetadata", Filter="*",
                        StartingIndex=0, RequestedCount=0, SortCriteria="")),
        ("Search", dict(ContainerID="0", SearchCriteria='bogus ~~ "x"', Filter="*",
                        StartingIndex=0, RequestedCount=0, SortCriteria="")),
    ):
        try:
            await directory.action(name).async_call(**arguments)
        except UpnpError as error:
            faults[name] = getattr(error, "error_code", None)
    protocols = await service(server, "ConnectionManager").action("GetProtocolInfo").async_call()
    print(json.dumps({
        "name": server.friendly_name, "type": server.device_type, "containers": containers,
        "tracks": tracks, "titles": titles, "searches": searches, "faults": faults,
        "source": protocols["Source"],
    }))


async def play(url, renderer_url, container):
    directory = service(await device(url), "ContentDirectory")
    renderer = await device(renderer_url)
    transport = service(renderer, "AVTransport")
    page = await directory.action("Browse").async_call(
        ObjectID=container, BrowseFlag="BrowseDirectChildren", Filter="*",
        StartingIndex=0, RequestedCount=0, SortCriteria="")
    items = didl_lite.from_xml_string(page["Result"])
    first, second = items[0], items[1]

    async def state():
        answer = await transport.action("GetTransportInfo").async_call(InstanceID=0)
        return answer["CurrentTransportState"]

    async def until(wanted, seconds):
        end = time.monotonic() + seconds
        while (now := await state()) not in wanted:
            assert time.monotonic() < end, f"still {now}"
            await asyncio.sleep(0.2)

    def described(item):
        return didl_lite.to_xml_string(item).decode()

    await transport.action("SetAVTransportURI").async_call(
        InstanceID=0, CurrentURI=first.res[0].uri, CurrentURIMetaData=described(first))
    await transport.action("Play").async_call(InstanceID=0, Speed="1")
    await until(("PLAYING",), 20)
    await transport.action("SetNextAVTransportURI").async_call(
        InstanceID=0, NextURI=second.res[0].uri, NextURIMetaData=described(second))
    await until(("STOPPED", "NO_MEDIA_PRESENT"), 90)
    print(json.dumps({"played": [first.res[0].uri, second.res[0].uri]}))


async def find(seconds):
    found = set()

    async def seen(headers):
        found.add((headers.get("st"), headers.get("location")))

    await async_search(seen, timeout=seconds, search_target="ssdp:all",
                       source=("10.77.0.3", 0))
    print(json.dumps(sorted(found)))


command, *rest = sys.argv[1:]
if command == "walk":
    asyncio.run(walk(*rest))
elif command == "play":
    asyncio.run(play(*rest))
elif command == "find":
    asyncio.run(find(int(rest[0])))
else:
    sys.exit(__doc__)
