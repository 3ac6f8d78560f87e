"""What the panel's requests may carry, as its own validation rules say it (panel 1.11)."""

IMAGE = r"regex:/^~?[\w\.\/\-:@ ]*$/"

USER = {
    "external_id": "sometimes|nullable|string|max:191|unique:users",
    "email": "required|email|between:1,191|unique:users",
    "username": r"required|between:1,191|regex:/^[a-z0-9]([\w\.-]+)[a-z0-9]$/|unique:users",
    "password": "sometimes|nullable|string",
    "language": "string",
    "root_admin": "boolean",
    "first_name": "required|string|between:1,191",
    "last_name": "required|string|between:1,191",
}
_LIMITS = {
    "limits": "required|array",
    "limits.memory": "required|numeric|min:0",
    "limits.swap": "required|numeric|min:-1",
    "limits.disk": "required|numeric|min:0",
    "limits.io": "required|numeric|between:10,1000",
    "limits.cpu": "required|numeric|min:0",
    "limits.threads": "nullable|regex:/^[0-9-,]+$/",
    "feature_limits": "required|array",
    "feature_limits.databases": "present|nullable|integer|min:0",
    "feature_limits.allocations": "sometimes|nullable|integer|min:0",
    "feature_limits.backups": "present|nullable|integer|min:0",
    "oom_disabled": "sometimes|boolean",
}
SERVER = {
    "external_id": "sometimes|nullable|string|between:1,191|unique:servers",
    "name": "required|string|min:1|max:191",
    "description": "nullable|string",
    "user": "required|integer|exists:users",
    "egg": "required|exists:eggs",
    "docker_image": f"required|string|max:191|{IMAGE}",
    "startup": "required|string",
    "environment": "present|array",
    "skip_scripts": "sometimes|boolean",
    **_LIMITS,
    "allocation.default": "required_without:deploy|integer|free",
    "deploy": "sometimes|required|array",
    "deploy.locations": "array",
    "deploy.locations.*": "integer|min:1",
    "deploy.dedicated_ip": "required_with:deploy|boolean",
    "deploy.port_range": "array",
    "deploy.port_range.*": "string",
    "start_on_completion": "sometimes|boolean",
}
BUILD = {
    "allocation": "required|exists:allocations",
    **_LIMITS,
    "add_allocations": "array",
    "add_allocations.*": "integer",
    "remove_allocations": "array",
    "remove_allocations.*": "integer",
}
DETAILS = {
    "external_id": "sometimes|nullable|string|between:1,191|unique:servers",
    "name": "required|string|min:1|max:191",
    "user": "required|integer|exists:users",
    "description": "nullable|string",
}
STARTUP = {
    "startup": "required|string",
    "environment": "present|array",
    "egg": "required|exists:eggs",
    "image": f"required|string|max:191|{IMAGE}",
    "skip_scripts": "present|boolean",
}
DEPLOYABLE = {
    "page": "integer",
    "memory": "required|integer|min:0",
    "disk": "required|integer|min:0",
    "location_ids": "array",
    "location_ids.*": "integer",
}
POWER = {"signal": "required|string|in:start,stop,restart,kill"}
