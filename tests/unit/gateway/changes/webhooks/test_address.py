"""To which URLs and addresses the gateway sends events, and to which it does not.

Covers ``gateway.settings.webhooks``.
"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from gateway.changes.webhooks.address import AddressPolicy, UrlRefused, is_public
from gateway.settings import WebhookSettings

POLICY = AddressPolicy.from_settings(WebhookSettings())
NETWORKS = ("10.20.0.0/16", "fd00:1::/64", "127.0.0.0/8", "64:ff9b::/96")
CLOSED_NETWORK = AddressPolicy.from_settings(WebhookSettings(allowed_networks=NETWORKS))
HERE = AddressPolicy.from_settings(
    WebhookSettings(allowed_networks=("127.0.0.0/8",), plain_http=True)
)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:5ef5:79fd::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:c0a8:101::1",
        "2606:4700::5efe:7f00:1",
        "2606:4700::200:5efe:a00:1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_not_called(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not POLICY.permits(ip_address(address), 443)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "113.160.1.1", "2606:4700::1111"])
def test_a_public_address_is_called_on_the_ports_of_the_settings(address: str) -> None:
    assert POLICY.permits(ip_address(address), 443)
    for port in (22, 25, 80, 6379, 8443):
        assert not POLICY.permits(ip_address(address), port)


@pytest.mark.parametrize("address", ["10.20.1.1", "fd00:1::5", "127.0.0.1", "64:ff9b::808:808"])
def test_a_network_of_the_settings_is_called_on_any_port(address: str) -> None:
    assert CLOSED_NETWORK.permits(ip_address(address), 8443)


@pytest.mark.parametrize("address", ["10.21.0.1", "fd00:2::5", "::ffff:10.20.1.1", "::1"])
def test_a_network_of_the_settings_opens_no_other(address: str) -> None:
    assert not CLOSED_NETWORK.permits(ip_address(address), 443)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "notary.example",
        "//notary.example/hook",
        "ftp://notary.example/",
        "file:///etc/passwd",
        "gopher://notary.example/",
        "http://notary.example/hook",
        "HTTP://notary.example/hook",
        "https:///hook",
        "https://",
        "https://user@notary.example/",
        "https://user:secret@notary.example/",
        "https://notary.example@127.0.0.1/",
        "https://notary.example/hook#here",
        "https://notary.example\\@127.0.0.1/",
        "https://notary.example/a b",
        "https://notary.example/\r\nHost: internal",
        "https://notary.example\t/",
        " https://notary.example/",
        "https://notary.example:0x1bb/",
        "https://notary.example:99999/",
        "https://notary.example:-1/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://①②⑦.0.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00::1]/",
        "https://[::1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://8.8.8.8:22/",
        "https://notary..example/",
        "https://-notary.example/",
        "https://notary%2eexample/",
        "https://công-chứng.example/",
        "https://notary_office.example/",
        f"https://{'a' * 64}.example/",
        f"https://notary.example/{'a' * 2_000}",
        f"https://{'a.' * 130}example/",
    ],
)
def test_such_a_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        POLICY.read_url(url)


@pytest.mark.parametrize(
    ("url", "text", "host", "port"),
    [
        ("https://Notary.Example", "https://notary.example/", "notary.example", 443),
        ("https://notary.example:443/x", "https://notary.example/x", "notary.example", 443),
        ("https://notary.example:8443/", "https://notary.example:8443/", "notary.example", 8443),
        ("https://a.example/x?y=1&z=%20", "https://a.example/x?y=1&z=%20", "a.example", 443),
        ("https://xn--cng-chng-7hb.example/", None, "xn--cng-chng-7hb.example", 443),
        ("https://8.8.8.8/hook", "https://8.8.8.8/hook", "8.8.8.8", 443),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/", "2606:4700::1111", 443),
        ("https://receiver/hook", "https://receiver/hook", "receiver", 443),
    ],
)
def test_a_url_is_read_in_one_form(url: str, text: str | None, host: str, port: int) -> None:
    read = POLICY.read_url(url)
    assert (read.text, read.host, read.port) == (text or url, host, port)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/hook", "http://localhost:8080/hook"])
def test_this_machine_needs_no_tls_where_settings_say_so(url: str) -> None:
    assert HERE.read_url(url).is_plain
    with pytest.raises(UrlRefused):
        CLOSED_NETWORK.read_url(url)


@pytest.mark.parametrize("url", ["http://notary.example/", "http://10.20.1.1/", "http://8.8.8.8/"])
def test_every_other_machine_needs_tls(url: str) -> None:
    with pytest.raises(UrlRefused):
        HERE.read_url(url)
