"""What Unkey's API, version 2, takes and refuses: the fields of each procedure, and its errors."""

ERRORS = "https://unkey.com/docs/errors/"


class Problem(Exception):
    def __init__(self, status, category, title, detail, errors=None):
        super().__init__(detail)
        self.status = status
        self.body = {"title": title, "detail": detail, "status": status, "type": ERRORS + category}
        if errors is not None:
            self.body["errors"] = errors


def invalid(location, message):
    return Problem(400, "unkey/application/invalid_input", "Bad Request", "The request is not valid.",
                   [{"location": location, "message": message}])


def no_such_key():
    return Problem(404, "unkey/data/key_not_found", "Not Found", "The specified key was not found.")


# name -> (type, required); what is not here is refused, as Unkey does
FIELDS = {
    "keys.verifyKey": {"key": (str, True), "tags": (list, False), "permissions": (str, False), "credits": (dict, False),
                       "ratelimits": (list, False), "migrationId": (str, False)},
    "keys.createKey": {"apiId": (str, True), "prefix": (str, False), "name": (str, False), "byteLength": (int, False),
                       "externalId": (str, False), "meta": (dict, False), "roles": (list, False),
                       "permissions": (list, False), "expires": (int, False), "credits": (dict, False),
                       "ratelimits": (list, False), "enabled": (bool, False), "recoverable": (bool, False)},
    "keys.updateKey": {"keyId": (str, True), "name": (str, False), "externalId": (str, False), "meta": (dict, False),
                       "expires": (int, False), "credits": (dict, False), "ratelimits": (list, False),
                       "enabled": (bool, False), "roles": (list, False), "permissions": (list, False)},
    "keys.deleteKey": {"keyId": (str, True), "permanent": (bool, False)},
    "keys.getKey": {"keyId": (str, True), "decrypt": (bool, False)},
    "keys.whoami": {"key": (str, True)},
    "keys.rerollKey": {"keyId": (str, True), "expiration": (int, True)},
    "apis.listKeys": {"apiId": (str, True), "limit": (int, False), "cursor": (str, False), "externalId": (str, False),
                      "decrypt": (bool, False), "revalidateKeysCache": (bool, False)},
}
NULLABLE = {"keys.updateKey": {"name", "externalId", "meta", "expires", "credits"}}
PERMISSIONS = {"keys.verifyKey": "verify_key", "keys.createKey": "create_key", "keys.updateKey": "update_key",
               "keys.deleteKey": "delete_key", "keys.getKey": "read_key", "keys.whoami": "read_key",
               "keys.rerollKey": "create_key", "apis.listKeys": "read_key"}
