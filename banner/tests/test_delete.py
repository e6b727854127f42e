def url(banner):
    return f"/api/v1/banners/{banner.public_id}"


def delete(client, banner, tag='"1"'):
    return client.delete(url(banner), headers={} if tag is None else {"If-Match": tag})


def test_deletes_a_banner_and_keeps_who_did_it(editor, make_banner, owner):
    banner = make_banner()

    response = delete(editor, banner)

    assert (response.status_code, response.data) == (204, b"")
    assert editor.get(url(banner)).status_code == 404
    owner.execute(
        "SELECT action, subject FROM log_entry WHERE banner = %s ORDER BY id", [str(banner.public_id)]
    )
    assert owner.fetchall()[-1] == ("delete", editor.sub)


def test_requires_the_current_tag(editor, make_banner):
    banner = make_banner()

    assert delete(editor, banner, None).status_code == 428
    assert delete(editor, banner, '"7"').status_code == 412
    assert editor.get(url(banner)).status_code == 200


def test_knows_no_other(editor, make_banner):
    banner = make_banner()
    delete(editor, banner)

    assert delete(editor, banner, "*").status_code == 404


def test_refuses_everybody_else(anonymous, customer, as_staff, make_banner):
    banner = make_banner()

    assert delete(anonymous, banner).status_code == 401
    assert delete(customer, banner).status_code == 403
    assert delete(as_staff("banner:read"), banner).status_code == 403


def test_asks_three_queries(editor, make_banner, count_queries):
    banner = make_banner()

    with count_queries() as queries:
        delete(editor, banner)

    assert len(queries) == 3
