"""The subjects of the synthetic platform, and how each of its three tag vocabularies spells them.

A platform that grew over years has three lists of tags: one on courses, one that users follow, one on
assessments. They name the same subjects but were typed by different people, so `c#`, `c-sharp` and `csharp`
are one subject. `PLANTED_VARIANTS` lists every subject spelt in more than one way, which repair should
join; `TRAPS` lists pairs that look alike but are different subjects, which it must keep apart.
"""

from __future__ import annotations

from dataclasses import dataclass

VOCABULARIES = ("course", "interest", "assessment")

# Topic, then its subjects in falling popularity, one a line: the course tag, the interest tag and the
# assessment tag, "-" where a vocabulary has no tag for it. The last line, "+", holds facets (course
# spelling, interest spelling) that are appended to the tags of the topic's first FACETED_SUBJECTS subjects.
_TOPICS = """
web-front-end
    javascript                  javascript                      javascript
    html5                       html                            html5
    css                         css                             css-core-skills
    angular.js                  angular-js                      angular-js
    react                       react                           -
    typescript                  typescript                      typescript-core-skills
    jquery                      jquery                          -
    bootstrap                   bootstrap                       -
    vue.js                      vue-js                          -
    sass                        sass                            -
    webpack                     webpack                         -
    web-component               web-components                  -
    svg                         svg                             -
    -                           web-accessibility               -
    + testing/testing performance/performance pattern/patterns tooling/-
web-back-end
    node.js                     node-js                         nodejs
    php                         php                             php
    ruby-on-rails               ruby-on-rails                   -
    django                      django                          -
    express.js                  express-js                      -
    laravel                     laravel                         -
    ruby                        ruby                            -
    flask                       flask                           -
    haml                        haml                            -
    graphql                     graphql                         -
    rest-api                    rest-apis                       -
    websocket                   websockets                      -
    symfony                     symfony                         -
    + authentication/authentication scaling/scaling plugin/plugins hosting/-
dotnet
    c#                          c-sharp                         csharp
    .net                        dotnet                          -
    asp.net-mvc                 aspdotnet-mvc                   asp.net-mvc
    entity-framework-6          entity-framework                -
    wpf                         wpf                             -
    visual-studio-2017          visual-studio                   visual-studio
    linq                        linq                            -
    wcf                         wcf                             -
    f#                          f-sharp                         -
    visual-basic                visual-basic                    -
    signalr                     signalr                         -
    nuget                       nuget                           -
    -                           aspdotnet-web-api               asp.net-web-api
    + testing/testing debugging/debugging extension/extensions internals/-
java
    java                        java                            java
    spring                      spring                          spring-core-skills
    hibernate                   hibernate                       -
    scala                       scala                           -
    groovy                      groovy                          -
    spring-boot                 spring-boot                     -
    maven                       maven                           -
    gradle                      gradle                          -
    junit-5                     junit                           -
    tomcat                      tomcat                          -
    play-framework              play-framework                  -
    java-applet                 java-applets                    -
    jvm                         jvm                             -
    + testing/testing concurrency/concurrency annotation/annotations configuration/-
systems-programming
    c++                         c-plus-plus                     cpp
    c                           c                               -
    go                          go                              -
    rust                        rust                            -
    haskell                     haskell                         -
    erlang                      erlang                          -
    algorithm                   algorithms                      algorithms
    data-structure              data-structures                 -
    operating-system            operating-systems               -
    embedded-system             embedded-systems                -
    compiler                    compilers                       -
    assembly-language           assembly-language               -
    raspberry-pi                raspberry-pi                    -
    + concurrency/concurrency debugging/debugging library/libraries interop/-
data-science
    python                      python-3                        python
    r                           r                               r
    pandas                      pandas                          -
    numpy                       numpy                           -
    matlab                      matlab                          -
    julia                       julia                           -
    data-visualization          data-visualization              -
    statistics                  statistics                      -
    jupyter                     jupyter                         -
    scipy                       scipy                           -
    time-series                 time-series                     -
    data-wrangling              data-wrangling                  -
    ab-test                     ab-tests                        -
    + plotting/plotting profiling/profiling package/packages scripting/-
machine-learning
    machine-learning            machine-learning                machine-learning-core-skills
    tensorflow                  tensorflow                      tensorflow
    deep-learning               deep-learning                   -
    keras                       keras                           -
    scikit-learn                scikit-learn                    -
    computer-vision             computer-vision                 -
    neural-network              neural-networks                 -
    natural-language-processing natural-language-processing     -
    decision-tree               decision-trees                  -
    chatbot                     chatbots                        -
    recommender-system          recommender-systems             -
    reinforcement-learning      reinforcement-learning          -
    feature-engineering         feature-engineering             -
    + evaluation/evaluation tuning/tuning pipeline/pipelines serving/-
databases
    sql-server-2016             sql-server                      sql-server-2016
    sql                         sql                             sql
    mongodb                     mongodb                         mongodb
    mysql                       mysql                           -
    postgresql                  postgresql                      -
    oracle                      oracle                          -
    nosql                       nosql                           -
    database-design             database-design                 -
    stored-procedure            stored-procedures               -
    redis                       redis                           -
    sqlite                      sqlite                          -
    couchbase                   couchbase                       -
    graph-database              graph-databases                 -
    + replication/replication indexing/indexing backup/backups locking/-
big-data
    hadoop                      hadoop                          hadoop
    spark-2                     spark                           -
    kafka                       kafka                           -
    hive                        hive                            -
    cassandra                   cassandra                       -
    hbase                       hbase                           -
    elasticsearch               elasticsearch                   -
    data-lake                   data-lakes                      -
    stream-processing           stream-processing               -
    flink                       flink                           -
    airflow                     airflow                         -
    mapreduce                   mapreduce                       -
    data-ingestion              data-ingestion                  -
    + sizing/sizing monitoring/monitoring connector/connectors clustering/-
cloud
    aws                         AWS                             aws
    azure                       azure                           azure
    google-cloud                google-cloud                    -
    openstack                   openstack                       -
    heroku                      heroku                          -
    cloud-foundry               cloud-foundry                   -
    serverless                  serverless                      -
    cloud-architecture          cloud-architecture              -
    cloud-storage               cloud-storage                   -
    content-delivery-network    content-delivery-networks       -
    cloud-migration             cloud-migration                 -
    autoscaling                 autoscaling                     -
    cost-management             cost-management                 -
    + networking/networking billing/billing function/functions governance/-
devops
    docker                      docker                          docker
    git                         git                             git-core-skills
    kubernetes                  kubernetes                      -
    ansible                     ansible                         -
    jenkins                     jenkins                         -
    terraform                   terraform                       -
    tfs                         Team-Foundation-Server          -
    puppet                      puppet                          -
    chef                        chef                            -
    continuous-integration      continuous-integration          -
    vagrant                     vagrant                         -
    container-registry          container-registries            -
    log-management              log-management                  -
    + automation/automation upgrading/upgrading module/modules secrets/-
security
    penetration-testing         penetration-testing             penetration-testing
    cryptography                cryptography                    -
    network-security            network-security                -
    digital-forensics           digital-forensics               -
    malware-analysis            malware-analysis                -
    incident-response           incident-response               -
    firewall                    firewalls                       -
    threat-modeling             threat-modeling                 -
    identity-management         identity-management             -
    kali-linux                  kali-linux                      -
    security-audit              security-audits                 -
    social-engineering          social-engineering              -
    owasp                       owasp                           -
    + reporting/reporting planning/planning lab/labs legislation/-
networking
    cisco                       cisco                           cisco-core-skills
    routing                     routing                         -
    switching                   switching                       -
    wireless                    wireless                        -
    voip                        voip                            -
    juniper                     juniper                         -
    tcp/ip                      tcp-ip                          -
    vpn                         vpns                            -
    load-balancing              load-balancing                  -
    packet-analysis             packet-analysis                 -
    subnetting                  subnetting                      -
    proxy-server                proxy-servers                   -
    software-defined-networking software-defined-networking     -
    + troubleshooting/troubleshooting design/design protocol/protocols hardware/-
it-administration
    windows-server-2016         windows-server                  windows-server-2016
    powershell                  power-shell                     powershell
    linux                       linux                           linux
    active-directory            active-directory                -
    vmware                      vmware                          -
    exchange-server-2016        exchange-server                 -
    hyper-v                     hyper-v                         -
    group-policy                group-policies                  -
    bash                        bash                            -
    virtual-machine             virtual-machines                -
    desktop-support             desktop-support                 -
    citrix                      citrix                          -
    disaster-recovery           disaster-recovery               -
    + deployment/deployment patching/patching permission/permissions inventory/-
mobile
    android                     android                         android
    ios-10                      ios                             -
    swift                       swift                           -
    react-native                react-native                    -
    xamarin                     xamarin                         xamarin
    ionic                       ionic                           -
    kotlin                      kotlin                          -
    objective-c                 objective-c                     -
    cordova                     cordova                         -
    push-notification           push-notifications              -
    app-store                   app-stores                      -
    xcode                       xcode                           -
    mobile-design               mobile-design                   -
    + navigation/navigation publishing/publishing gesture/gestures geolocation/-
game-design
    unity                       unity                           unity-core-skills
    unreal-engine-4             unreal-engine                   -
    godot                       godot                           -
    gamemaker                   game-maker                      -
    cryengine                   cryengine                       -
    monogame                    monogame                        -
    level-design                level-design                    -
    shader                      shaders                         -
    virtual-reality             virtual-reality                 -
    game-ai                     game-ai                         -
    game-mechanic               game-mechanics                  -
    sprite                      sprites                         -
    character-design            character-design                -
    + scripting/scripting multiplayer/multiplayer cutscene/cutscenes terrain/-
3d-art
    maya                        maya                            maya-core-skills
    3ds-max                     3ds-max                         3ds-max
    zbrush                      zbrush                          -
    blender                     blender                         -
    cinema-4d                   cinema-4d                       -
    houdini                     houdini                         -
    nuke                        nuke                            -
    v-ray                       vray                            -
    mudbox                      mudbox                          -
    compositing                 compositing                     -
    motion-capture              motion-capture                  -
    particle-effect             particle-effects                -
    uv-mapping                  uv-mapping                      -
    + rigging/rigging lighting/lighting texture/textures sculpting/-
graphic-design
    photoshop                   photoshop                       photoshop
    illustrator                 illustrator                     illustrator-core-skills
    indesign                    in-design                       -
    sketch                      sketch                          -
    coreldraw                   coreldraw                       -
    inkscape                    inkscape                        -
    typography                  typography                      -
    logo-design                 logo-design                     -
    wireframe                   wireframes                      -
    color-theory                color-theory                    -
    infographic                 infographics                    -
    user-experience             user-experience                 -
    print-design                print-design                    -
    + branding/branding masking/masking layout/layouts prepress/-
photography-and-video
    lightroom                   lightroom                       -
    after-effects               after-effects                   after-effects
    premiere-pro                premiere-pro                    premiere-pro
    final-cut-pro               final-cut-pro                   -
    davinci-resolve             davinci-resolve                 -
    audition                    audition                        -
    photography                 photography                     -
    portrait                    portraits                       -
    video-editing               video-editing                   -
    color-grading               color-grading                   -
    screencast                  screencasts                     -
    studio-lighting             studio-lighting                 -
    sound-design                sound-design                    -
    + editing/editing exporting/exporting transition/transitions archiving/-
office
    microsoft-office            using-microsoft-office-2016     -
    excel-2016                  excel                           excel
    word                        word                            -
    powerpoint                  powerpoint                      powerpoint
    outlook                     outlook                         -
    onenote                     one-note                        -
    access                      access                          -
    office-365                  office-365                      -
    vba                         vba                             -
    visio                       visio                           -
    spreadsheet                 spreadsheets                    -
    mail-merge                  mail-merge                      -
    -                           email-etiquette                 -
    + sharing/sharing shortcuts/shortcuts template/templates printing/-
cad
    solidworks                  solidworks                      solidworks-core-skills
    autocad                     autocad                         autocad-core-skills
    revit                       revit                           revit
    inventor                    inventor                        -
    sketchup                    sketch-up                       -
    catia                       catia                           -
    rhino-6                     rhino                           -
    civil-3d                    civil-3d                        -
    fusion-360                  fusion-360                      -
    technical-drawing           technical-drawings              -
    mechanical-design           mechanical-design               -
    building-information-model  building-information-models     -
    sheet-metal                 sheet-metal                     -
    + drafting/drafting simulation/simulation assembly/assemblies tolerancing/-
business-analytics
    tableau                     tableau                         tableau
    power-bi                    power-bi                        power-bi
    qlikview                    qlikview                        -
    sas                         sas                             -
    crystal-reports             crystal-reports                 -
    google-analytics            google-analytics                -
    business-intelligence       business-intelligence           -
    dashboard                   dashboards                      -
    data-warehouse              data-warehouses                 -
    forecasting                 forecasting                     -
    market-research             market-research                 -
    kpi                         kpis                            -
    survey                      surveys                         -
    + embedding/embedding calculations/calculations filter/filters refresh/-
project-management
    scrum                       scrum                           -
    agile                       agile                           -
    kanban                      kanban                          -
    prince-2                    prince2                         -
    jira                        jira                            -
    six-sigma                   six-sigma                       -
    project-management          project-management              project-management
    risk-management             risk-management                 -
    user-story                  user-stories                    -
    stakeholder-management      stakeholder-management          -
    retrospective               retrospectives                  -
    budgeting                   budgeting                       -
    leadership                  leadership                      -
    + planning/planning estimation/estimation metric/metrics certification/-
software-testing
    selenium                    selenium                        selenium
    cucumber                    cucumber                        -
    jmeter                      jmeter                          -
    appium                      appium                          -
    postman                     postman                         -
    protractor                  protractor                      -
    unit-testing                unit-testing                    -
    test-driven-development     test-driven-development         -
    load-testing                load-testing                    -
    acceptance-test             acceptance-tests                -
    exploratory-testing         exploratory-testing             -
    mocking                     mocking                         -
    bug-report                  bug-reports                     -
    + integration/integration parallelism/parallelism assertion/assertions fixtures/-
software-architecture
    domain-driven-design        domain-driven-design            -
    microservice                microservices                   microservices
    event-sourcing              event-sourcing                  -
    functional-programming      functional-programming          -
    object-oriented-programming object-oriented-programming     -
    message-queue               message-queues                  -
    design-pattern              design-patterns                 design-patterns
    refactoring                 refactoring                     -
    uml-2                       uml                             -
    cqrs                        cqrs                            -
    api-design                  api-design                      -
    legacy-code                 legacy-code                     -
    clean-code                  clean-code                      -
    + modeling/modeling governance/governance example/examples documentation/-
content-management
    wordpress                   wordpress                       wordpress
    sharepoint-2013             sharepoint                      sharepoint
    drupal-8                    drupal                          -
    joomla                      joomla                          -
    magento                     magento                         -
    umbraco                     umbraco                         -
    search-engine-optimization  search-engine-optimization      -
    woocommerce                 woocommerce                     -
    shopify                     shopify                         -
    landing-page                landing-pages                   -
    content-strategy            content-strategy                -
    copywriting                 copywriting                     -
    newsletter                  newsletters                     -
    + theming/theming publishing/publishing widget/widgets localization/-
"""

FACETED_SUBJECTS = 6


@dataclass(frozen=True)
class Subject:
    """One subject, with its spelling in each vocabulary (None: the vocabulary has no tag for it)."""

    topic: str
    course: str | None
    interest: str | None
    assessment: str | None
    is_facet: bool = False

    def spellings(self) -> tuple[tuple[str, str], ...]:
        """Return the subject's (raw_tag, vocabulary) pairs, in the order of `VOCABULARIES`."""
        named = ((getattr(self, vocabulary), vocabulary) for vocabulary in VOCABULARIES)
        return tuple((tag, vocabulary) for tag, vocabulary in named if tag is not None)


def _facet(subject: Subject, facet: str) -> Subject:
    course, interest = (
        f"{tag}-{suffix}" if tag and suffix != "-" else None
        for tag, suffix in zip((subject.course, subject.interest), facet.split("/"), strict=True)
    )
    return Subject(subject.topic, course, interest, None, is_facet=True)


def _read(topics: str) -> tuple[Subject, ...]:
    subjects: list[Subject] = []
    topic, in_topic = "", 0
    for line in topics.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            topic, in_topic = line, len(subjects)
        elif words[0] == "+":
            faceted = subjects[in_topic : in_topic + FACETED_SUBJECTS]
            subjects += [_facet(subject, facet) for facet in words[1:] for subject in faceted]
        else:
            course, interest, assessment = (None if word == "-" else word for word in words)
            subjects.append(Subject(topic, course, interest, assessment))
    return tuple(subjects)


# Every subject, by topic; inside a topic in falling popularity, the facets last.
SUBJECTS = _read(_TOPICS)

TOPICS = tuple(dict.fromkeys(subject.topic for subject in SUBJECTS))

# Groups of (raw_tag, vocabulary) that mean one subject and are spelt in at least two ways. Facets are left
# out: theirs follow from these, and a small sample does not use all of them.
PLANTED_VARIANTS = tuple(
    subject.spellings()
    for subject in SUBJECTS
    if not subject.is_facet and len({tag for tag, _ in subject.spellings()}) > 1
)

# Pairs of (raw_tag, vocabulary) that look alike but are two subjects.
TRAPS = (
    (("java", "interest"), ("javascript", "course")),
    (("react", "interest"), ("react-native", "course")),
    (("c", "interest"), ("c++", "course")),
    (("c", "course"), ("c-plus-plus", "interest")),
    (("c", "interest"), ("c#", "course")),
    (("c", "course"), ("c-sharp", "interest")),
    (("c", "interest"), ("objective-c", "course")),
    (("r", "interest"), ("ruby", "course")),
    (("word", "interest"), ("wordpress", "course")),
    (("sql", "interest"), ("nosql", "course")),
    (("sql", "interest"), ("mysql", "course")),
    (("html", "interest"), ("haml", "course")),
    (("photoshop", "interest"), ("photography", "course")),
    (("go", "interest"), ("google-cloud", "course")),
    (("google-analytics", "interest"), ("google-cloud", "course")),
    (("sketch", "interest"), ("sketch-up", "interest")),
    (("sas", "interest"), ("sass", "course")),
    (("spring", "interest"), ("spring-boot", "course")),
    (("visual-studio", "interest"), ("visual-basic", "course")),
    (("unit-testing", "interest"), ("unity", "course")),
)
